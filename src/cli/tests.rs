// A test that meets the unexpected should end there.
#![allow(clippy::unwrap_used)]

use super::{Colours, Options, Parsed, parse_with};

fn parse(words: &[&str]) -> Parsed {
    let argv: Vec<String> = words.iter().map(ToString::to_string).collect();
    parse_with(&argv, Colours::default())
}

fn run(words: &[&str]) -> Options {
    match parse(words) {
        Parsed::Run(options) => options,
        other => panic!("{words:?} should run, not {other:?}"),
    }
}

fn refused(words: &[&str]) -> String {
    match parse(words) {
        Parsed::Exit {
            code: 1,
            stdout,
            stderr,
        } if stdout.is_empty() => stderr,
        other => panic!("{words:?} should be refused, not {other:?}"),
    }
}

fn printed(words: &[&str]) -> String {
    match parse(words) {
        Parsed::Exit {
            code: 0,
            stdout,
            stderr,
        } if stderr.is_empty() => stdout,
        other => panic!("{words:?} should print, not {other:?}"),
    }
}

#[test]
fn nothing_typed_is_nothing_said() {
    assert_eq!(run(&[]), Options::default());
    assert_eq!(parse(&[]).to_json(), r#"{"run":{}}"#);
}

#[test]
fn every_short_flag_of_sidekiq() {
    let options = run(&[
        "-c", "7", "-e", "staging", "-g", "mail", "-q", "a,3", "-q", "b", "-r", "app.rb", "-t",
        "8", "-v", "-C", "x.yml",
    ]);
    let json = serde_json::to_value(&options).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "concurrency": 7, "environment": "staging", "tag": "mail", "queues": ["a,3", "b"],
            "require": "app.rb", "timeout": 8, "verbose": true, "config_file": "x.yml"
        })
    );
}

#[test]
fn long_names_may_be_shortened_as_in_optionparser() {
    let options = run(&["--conc", "3", "--env=test", "--que", "mailers"]);
    assert_eq!(options.concurrency, Some(3));
    assert_eq!(options.environment.as_deref(), Some("test"));
    assert_eq!(options.queues, ["mailers"]);
}

#[test]
fn values_may_be_glued_to_their_flag() {
    let options = run(&["-c5", "-qcritical,2", "-e", "production"]);
    assert_eq!(options.concurrency, Some(5));
    assert_eq!(options.queues, ["critical,2"]);
}

#[test]
fn the_last_of_a_repeated_flag_counts() {
    let options = run(&["-c", "3", "-v", "-c", "4", "-v", "-e", "a", "-e", "b"]);
    assert_eq!(options.concurrency, Some(4));
    assert!(options.verbose);
    assert_eq!(options.environment.as_deref(), Some("b"));
}

#[test]
fn numbers_that_make_no_sense_are_one_sentence() {
    for typed in ["0", "ten", "-3", "2.5", "99999999999"] {
        for flag in ["-c", "-t"] {
            let said = refused(&[flag, typed]);
            assert!(
                said.contains("it must be a whole number, 1 or more"),
                "{said}"
            );
            assert!(said.contains(typed), "{said}");
        }
    }
}

#[test]
fn a_queue_needs_a_name() {
    assert!(refused(&["-q", ",2"]).contains("it must begin with the name of a queue"));
}

#[test]
fn an_unknown_flag_is_refused_with_a_suggestion() {
    let said = refused(&["--concurency", "3"]);
    assert!(said.contains("--concurrency"), "{said}");
    assert!(refused(&["-X"]).contains("-X"));
    assert!(refused(&["chek"]).contains("check"));
}

#[test]
fn leftovers_of_sidekiq_6_are_accepted_and_explained() {
    let options = run(&[
        "-d",
        "-L",
        "log/sidekiq.log",
        "-P",
        "tmp/sidekiq.pid",
        "-c",
        "2",
    ]);
    assert_eq!(options.concurrency, Some(2));
    assert_eq!(options.warnings.len(), 3);
    assert!(options.warnings[1].contains(">> log/sidekiq.log"));
}

#[test]
fn a_weight_that_is_none_is_kept_and_said() {
    let options = run(&["-q", "critical,default", "-q", "low,1"]);
    assert_eq!(options.queues, ["critical,default", "low,1"]);
    assert_eq!(options.warnings.len(), 1);
}

#[test]
fn check_takes_the_same_flags_on_either_side() {
    for words in [
        &["check", "-C", "x.yml", "-q", "a"],
        &["-C", "x.yml", "-q", "a", "check"],
    ] {
        let Parsed::Check(options) = parse(words) else {
            panic!("{words:?} should check");
        };
        assert_eq!(options.config_file.as_deref(), Some("x.yml"));
        assert_eq!(options.queues, ["a"]);
    }
}

#[test]
fn bench_takes_numbers_of_its_own() {
    let parsed = parse(&[
        "bench",
        "-C",
        "x.yml",
        "--quick",
        "--jobs",
        "500",
        "--pairs=2",
    ]);
    assert_eq!(
        parsed.to_json(),
        r#"{"bench":{"config_file":"x.yml","bench":{"quick":true,"jobs":500,"pairs":2}}}"#
    );
    assert_eq!(parse(&["bench"]).to_json(), r#"{"bench":{"bench":{}}}"#);
    for words in [["--jobs", "9"], ["--jobs", "2000000"], ["--pairs", "-1"]] {
        let said = refused(&["bench", words[0], words[1]]);
        assert!(said.contains("it must be a whole number from 1"), "{said}");
    }
    assert!(refused(&["--jobs", "10"]).contains("--jobs"));
}

#[test]
fn help_is_printed_and_succeeds() {
    for words in [
        &["-h"][..],
        &["--help"],
        &["check", "--help"],
        &["bench", "--help"],
    ] {
        assert!(printed(words).contains("footplate"));
    }
    let help = printed(&["--help"]);
    for word in [
        "Application:",
        "Work:",
        "Examples:",
        "RAILS_MAX_THREADS",
        "completions",
    ] {
        assert!(help.contains(word), "{word} is missing in\n{help}");
    }
    assert!(!help.contains("--daemon"));
    // Whoever asks whether it is safe to try should read what runs.
    for command in ["check", "bench"] {
        assert!(printed(&[command, "--help"]).contains("configure_server"));
    }
}

#[test]
fn version_and_completions_are_printed() {
    assert!(printed(&["-V"]).starts_with(concat!("footplate ", env!("CARGO_PKG_VERSION"), " (")));
    assert_eq!(printed(&["--version"]), printed(&["-V"]));
    for shell in ["bash", "zsh", "fish"] {
        assert!(printed(&["completions", shell]).contains("concurrency"));
    }
    assert!(refused(&["completions", "tcsh"]).contains("bash"));
}

#[test]
fn colours_only_where_allowed() {
    let argv = ["--help".to_owned()];
    let colours = Colours {
        stdout: true,
        stderr: false,
    };
    let Parsed::Exit { stdout, .. } = parse_with(&argv, colours) else {
        panic!("help should print");
    };
    assert!(stdout.contains('\u{1b}'));
    assert!(!printed(&["--help"]).contains('\u{1b}'));
}
