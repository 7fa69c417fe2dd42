//! The command line exactly as typed. Nothing is resolved here: defaults, files and the environment belong
//! to Ruby (`Footplate::Server::Settings`), because the settings files are ERB and the defaults depend on
//! the Sidekiq that the application loads.
//!
//! Exit codes: 0 for help, version and completions; 1 for a command line that makes no sense, as with
//! `sidekiq`. Unlike `sidekiq -h`, which logs its usage and exits 1, help goes to standard output and
//! succeeds, so that `footplate --help | less` works.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::Path;

use clap::{CommandFactory, Parser};
use serde::Serialize;

mod args;
mod integer;
mod stray;
#[cfg(test)]
mod tests;

use args::{Arguments, Command, Leftovers};

pub use args::{Bench, Options};

/// What a command line asks for.
///
/// As JSON (for Ruby) it is an object with one key: `{"run": {…}}`, `{"check": {…}}`,
/// `{"bench": {…, "bench": {…}}}` or `{"exit": {"code": 0, "stdout": "…", "stderr": "…"}}`.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Parsed {
    /// Nothing is left to do but to print this and exit.
    Exit {
        /// The process's exit status.
        code: i32,
        /// What to write to standard output, line ends included.
        stdout: String,
        /// What to write to standard error, line ends included.
        stderr: String,
    },
    /// Boot the application and run its jobs.
    Run(Options),
    /// Boot the application, show what would run, and exit.
    Check(Options),
    /// Boot the application to find its Redis, and measure there.
    Bench {
        /// The options that every command takes.
        #[serde(flatten)]
        options: Options,
        /// The options that only this one takes.
        bench: Bench,
    },
}

impl Parsed {
    /// The form in which it is handed to Ruby.
    pub fn to_json(&self) -> String {
        // Only strings and numbers: nothing that JSON could refuse.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Whether output may contain colours.
#[derive(Clone, Copy, Debug, Default)]
pub struct Colours {
    /// On standard output.
    pub stdout: bool,
    /// On standard error.
    pub stderr: bool,
}

impl Colours {
    /// As the terminal allows; none at all if `NO_COLOR` is set.
    pub fn detect() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self {
            stdout: wanted && std::io::stdout().is_terminal(),
            stderr: wanted && std::io::stderr().is_terminal(),
        }
    }
}

/// Reads a command line. `argv` is what follows the program's name, like Ruby's `ARGV`: bytes, whatever the
/// locale takes them for.
pub fn parse(argv: &[OsString]) -> Parsed {
    parse_with(argv, Colours::detect())
}

/// [`parse`] with the choice of colours passed in.
pub fn parse_with(argv: &[OsString], colours: Colours) -> Parsed {
    let typed = std::iter::once(OsString::from("footplate")).chain(lower_case_names(argv));
    let arguments = match Arguments::try_parse_from(typed) {
        Ok(arguments) => arguments,
        Err(error) => {
            return match stray::sentence(&error, argv) {
                Some(sentence) => refused(format!("error: {sentence}\n")),
                None => refusal(&error, argv, colours),
            };
        }
    };
    if arguments.version {
        return printed(version());
    }
    let mut options = arguments.options;
    options.warnings = warnings(&arguments.leftovers);
    match arguments.command {
        None => Parsed::Run(options),
        Some(Command::Check) => Parsed::Check(options),
        Some(Command::Bench(bench)) => Parsed::Bench { options, bench },
        Some(Command::Completions { shell }) => printed(completions(shell.into())),
    }
}

fn printed(stdout: String) -> Parsed {
    Parsed::Exit {
        code: 0,
        stdout,
        stderr: String::new(),
    }
}

fn refused(stderr: String) -> Parsed {
    Parsed::Exit {
        code: 1,
        stdout: String::new(),
        stderr,
    }
}

/// OptionParser does not distinguish `--CONCURRENCY` from `--concurrency`.
fn lower_case_names(argv: &[OsString]) -> impl Iterator<Item = OsString> {
    let mut flags_end = false;
    argv.iter().map(move |word| match word.to_str() {
        Some(text) if text.starts_with("--") && !flags_end => {
            flags_end = text == "--";
            let (name, value) = text.split_at(text.find('=').unwrap_or(text.len()));
            (name.to_lowercase() + value).into()
        }
        _ => word.clone(),
    })
}

/// To clap, help is an error as well; but it goes to standard output.
fn refusal(error: &clap::Error, argv: &[OsString], colours: Colours) -> Parsed {
    let text = |colour: bool| {
        let styled = error.render();
        if colour {
            styled.ansi().to_string()
        } else {
            styled.to_string()
        }
    };
    if error.use_stderr() {
        refused(stray::without_secrets(text(colours.stderr), argv))
    } else {
        printed(text(colours.stdout))
    }
}

fn version() -> String {
    format!(
        "footplate {} ({} {})\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH
    )
}

fn completions(shell: clap_complete::Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "footplate", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

fn warnings(leftovers: &Leftovers) -> Vec<String> {
    let mut lines = Vec::new();
    if leftovers.daemon {
        lines.push(
            "-d is ignored: let a supervisor (systemd, a container, foreman) start and restart this process."
                .to_owned(),
        );
    }
    if let Some(path) = &leftovers.logfile {
        lines.push(format!(
            "-L is ignored: the log goes to standard output; redirect it (`>> {}`) or let the supervisor keep it.",
            Path::new(path).display()
        ));
    }
    if let Some(path) = &leftovers.pidfile {
        lines.push(format!(
            "-P is ignored: {} is not written; a supervisor knows the process id of what it starts.",
            Path::new(path).display()
        ));
    }
    lines
}
