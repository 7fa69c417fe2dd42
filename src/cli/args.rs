//! The table of flags, as clap sees it. They have Sidekiq's names and letters, so that a Procfile keeps working
//! once one word in it is changed.

use std::ffi::OsString;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{ArgAction, Args, Parser, Subcommand};
use clap_complete::Shell;
use serde::{Serialize, Serializer};

use super::integer;

const EXAMPLES: &str = "\
Examples:
  footplate                          Run the Rails application in this folder
  footplate -c 10 -q critical,2 -q default
                                     Ten threads; `critical` comes first twice as often
  footplate -C config/mailers.yml    Settings from another file
  footplate -r ./worker.rb           An application that is one Ruby file
  footplate check                    Show what would start, and start nothing
  footplate bench --quick            Measure on the application's own Redis, beside Sidekiq
  footplate completions bash > /etc/bash_completion.d/footplate

Settings come from these flags, then config/footplate.yml, then config/sidekiq.yml (in both, the section
of the environment before the top level), then RAILS_MAX_THREADS.

Environment:
  APP_ENV, RAILS_ENV, RACK_ENV       The environment when -e is not given, in this order
  REDIS_URL                          Where Redis is, unless the application configures it
  REDIS_PROVIDER                     The name of the variable that holds the URL instead of REDIS_URL
  RAILS_MAX_THREADS                  Threads when neither -c nor a file says how many

Signals: TERM and INT stop after the running jobs, TSTP stops taking new ones, TTIN prints what every
thread is doing.";

const CHECK_RUNS: &str = "\
The application is loaded as for a start, so its configure_server blocks run: what they write, to Redis
or elsewhere, is written. Footplate itself leaves nothing in Redis.";

const BENCH_RUNS: &str = "\
The application is loaded as for a start, so its configure_server blocks run. None of its jobs does.";

/// Runs the background jobs of a Ruby application.
#[derive(Debug, Parser)]
#[command(
    name = "footplate",
    bin_name = "footplate",
    about = "Runs the background jobs of a Ruby application, in place of `bundle exec sidekiq`.",
    after_help = EXAMPLES,
    // `--env` and `--conc` are accepted as Ruby's OptionParser accepts them in `sidekiq`.
    infer_long_args = true,
    disable_version_flag = true,
    disable_help_flag = true,
    disable_help_subcommand = true,
    subcommand_help_heading = "Commands",
    subcommand_value_name = "COMMAND",
    max_term_width = 100
)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) options: Options,

    #[command(flatten)]
    pub(super) leftovers: Leftovers,

    /// Print the version and exit
    #[arg(short = 'V', long, action = ArgAction::SetTrue, help_heading = "Help")]
    pub(super) version: bool,

    /// Print this help and exit
    #[arg(short, long, action = ArgAction::Help, global = true, help_heading = "Help")]
    help: Option<bool>,

    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

/// What to do instead of running.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(super) enum Command {
    /// Show what would start, and what of it deserves a look; start nothing
    #[command(after_help = CHECK_RUNS)]
    Check,
    /// Measure on the Redis that the application is configured with, beside the installed Sidekiq; touches no job
    #[command(after_help = BENCH_RUNS)]
    Bench(Bench),
    /// Print a completion script for a shell
    Completions {
        /// bash, zsh or fish
        #[arg(value_enum)]
        shell: CompletionShell,
    },
}

/// What `footplate bench` is asked for. Ruby has the defaults.
#[derive(Args, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Bench {
    /// A rough answer within half a minute
    #[arg(long, help_heading = "Measuring")]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub quick: bool,

    /// No-op jobs in each run [default: 50000]
    #[arg(long, value_name = "N", value_parser = typed(jobs), allow_negative_numbers = true, overrides_with = "jobs", help_heading = "Measuring")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jobs: Option<u32>,

    /// Runs of each, in turn [default: 3]
    #[arg(long, value_name = "N", value_parser = typed(pairs), allow_negative_numbers = true, overrides_with = "pairs", help_heading = "Measuring")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pairs: Option<u32>,

    /// Print JSON instead of a table
    #[arg(long, help_heading = "Measuring")]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub json: bool,
}

/// The shells a script can be made for.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum CompletionShell {
    Bash,
    Zsh,
    Fish,
}

impl From<CompletionShell> for Shell {
    fn from(shell: CompletionShell) -> Self {
        match shell {
            CompletionShell::Bash => Self::Bash,
            CompletionShell::Zsh => Self::Zsh,
            CompletionShell::Fish => Self::Fish,
        }
    }
}

/// What was typed and nothing else: a flag that was not given is absent, so that whoever resolves the
/// settings can tell "5" from "nothing, hence 5". A flag given twice counts as it was given last, except
/// `-q`, which adds up.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Options {
    /// Rails folder, or Ruby file that loads the jobs
    #[arg(
        short,
        long,
        value_name = "PATH|DIR",
        global = true,
        overrides_with = "require",
        help_heading = "Application"
    )]
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "path")]
    pub require: Option<OsString>,

    /// Environment to run in
    #[arg(
        short,
        long,
        value_name = "ENV",
        value_parser = typed(text),
        global = true,
        overrides_with = "environment",
        help_heading = "Application"
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,

    /// Settings file, in place of config/footplate.yml and config/sidekiq.yml
    #[arg(
        short = 'C',
        long = "config",
        value_name = "PATH",
        global = true,
        overrides_with = "config_file",
        help_heading = "Application"
    )]
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "path")]
    pub config_file: Option<OsString>,

    /// Threads, which is how many jobs run at once
    #[arg(short, long, value_name = "INT", value_parser = typed(threads), allow_negative_numbers = true, global = true, overrides_with = "concurrency", help_heading = "Work")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,

    /// Queue to work on, and how often it comes first; give it once for each queue
    #[arg(short, long = "queue", value_name = "QUEUE[,WEIGHT]", value_parser = typed(queue), global = true, help_heading = "Work")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub queues: Vec<String>,

    /// Seconds that running jobs are given to end at shutdown
    #[arg(short, long, value_name = "NUM", value_parser = typed(seconds), allow_negative_numbers = true, global = true, overrides_with = "timeout", help_heading = "Process")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u32>,

    /// Tag that tells this process from others in `ps` and on dashboards
    #[arg(
        short = 'g',
        long,
        value_name = "TAG",
        value_parser = typed(text),
        global = true,
        overrides_with = "tag",
        help_heading = "Process"
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,

    /// Log at debug level, and show where a failed start went wrong
    #[arg(
        short,
        long,
        global = true,
        overrides_with = "verbose",
        help_heading = "Process"
    )]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub verbose: bool,

    /// Lines to show the operator before anything else happens; made from what was typed.
    #[arg(skip)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// Flags that Sidekiq 6 still accepted, with a message, long after it had dropped what they did. Accepted here
/// with every version of Sidekiq: a supervisor's command line must not stop a deployment over them.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Leftovers {
    #[arg(
        short = 'd',
        long,
        global = true,
        hide = true,
        overrides_with = "daemon"
    )]
    pub(super) daemon: bool,
    #[arg(
        short = 'L',
        // OptionParser takes an unknown letter for the beginning of a long name.
        short_alias = 'l',
        long,
        global = true,
        hide = true,
        value_name = "PATH",
        overrides_with = "logfile"
    )]
    pub(super) logfile: Option<OsString>,
    #[arg(
        short = 'P',
        short_alias = 'p',
        long,
        global = true,
        hide = true,
        value_name = "PATH",
        overrides_with = "pidfile"
    )]
    pub(super) pidfile: Option<OsString>,
}

/// More than anybody needs, and few enough for a machine to refuse them with a proper error.
const MOST_THREADS: i64 = 10_000;
/// Some thirty years.
const MOST_SECONDS: i64 = 1_000_000_000;

/// A parser of values that arrive as bytes: what is not UTF-8 is refused like any other mistake in them.
fn typed<T>(read: fn(&str) -> Result<T, String>) -> impl TypedValueParser<Value = T>
where
    T: Clone + Send + Sync + 'static,
{
    OsStringValueParser::new().try_map(move |bytes: OsString| match bytes.to_str() {
        Some(typed) => read(typed),
        None => Err("it must be UTF-8".to_owned()),
    })
}

/// A path is bytes. As JSON it is a string, or an array of bytes if it is not UTF-8.
fn path<S: Serializer>(path: &Option<OsString>, serializer: S) -> Result<S::Ok, S::Error> {
    match path {
        None => serializer.serialize_none(),
        Some(path) => match path.to_str() {
            Some(text) => serializer.serialize_str(text),
            None => serializer.collect_seq(path.as_encoded_bytes()),
        },
    }
}

fn text(typed: &str) -> Result<String, String> {
    Ok(typed.to_owned())
}

fn threads(typed: &str) -> Result<u32, String> {
    between(typed, 1, MOST_THREADS)
}

fn seconds(typed: &str) -> Result<u32, String> {
    between(typed, 1, MOST_SECONDS)
}

/// Few enough that nobody fills a Redis with a typing error.
fn jobs(typed: &str) -> Result<u32, String> {
    between(typed, 10, 1_000_000)
}

fn pairs(typed: &str) -> Result<u32, String> {
    between(typed, 1, 100)
}

fn between(typed: &str, least: i64, most: i64) -> Result<u32, String> {
    integer::read(typed)
        .filter(|it| (least..=most).contains(it))
        .and_then(|it| u32::try_from(it).ok())
        .ok_or_else(|| format!("it must be a whole number from {least} to {most}"))
}

fn queue(typed: &str) -> Result<String, String> {
    match typed.split(',').next() {
        None | Some("") => Err("it must begin with the name of a queue".to_owned()),
        Some(_) => Ok(typed.to_owned()),
    }
}
