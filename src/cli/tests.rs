// A test that meets something unexpected should end there.
#![allow(clippy::unwrap_used)]

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::{Colours, Options, Parsed, parse_with};

fn parse(words: &[&str]) -> Parsed {
    let argv: Vec<OsString> = words.iter().map(OsString::from).collect();
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
    let options = run(&["--CONC=3", "--Queue", "MAIL"]);
    assert_eq!(options.concurrency, Some(3));
    assert_eq!(options.queues, ["MAIL"]);
    for words in [
        ["--log", "x"],
        ["-l", "x"],
        ["-lx", "-v"],
        ["-p", "x"],
        ["--pid", "x"],
    ] {
        assert_eq!(run(&words).warnings.len(), 1, "{words:?}");
    }
    for ambiguous in [&["--con", "5"][..], &["--ver"]] {
        assert!(refused(ambiguous).contains(ambiguous[0]));
    }
    for none in ["--no-verbose", "--verbose=yes", "-v5", "-T"] {
        refused(&[none]);
    }
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
    for typed in ["0", "ten", "-3", "2.5", "99999999999", "1000000001"] {
        for (flag, most) in [("-c", "10000"), ("-t", "1000000000")] {
            let said = refused(&[flag, typed]);
            let range = format!("it must be a whole number from 1 to {most}");
            assert!(said.contains(&range), "{said}");
            assert!(said.contains(typed), "{said}");
        }
    }
    assert!(refused(&["-c", "10001"]).contains("from 1 to 10000"));
    assert_eq!(run(&["-c", "10000"]).concurrency, Some(10_000));
    assert_eq!(run(&["-t", "1000000000"]).timeout, Some(1_000_000_000));
    assert_eq!(run(&["-c", "010"]).concurrency, Some(8));
}

#[test]
fn paths_are_bytes() {
    let typed = |bytes: &[&[u8]]| {
        let argv: Vec<_> = bytes
            .iter()
            .map(|it| OsStr::from_bytes(it).into())
            .collect();
        parse_with(&argv, Colours::default())
    };
    assert_eq!(
        typed(&[b"-r", "./my app é.rb".as_bytes(), b"-C", b"\xe9.yml"]).to_json(),
        r#"{"run":{"require":"./my app é.rb","config_file":[233,46,121,109,108]}}"#
    );
    // Whatever goes into Redis must be text.
    for flag in [b"-q", b"-g", b"-e", b"-c"] {
        let Parsed::Exit {
            code: 1, stderr, ..
        } = typed(&[flag, b"p\xeache"])
        else {
            panic!("{flag:?} should refuse what is no UTF-8");
        };
        assert!(stderr.contains("it must be UTF-8"), "{stderr}");
    }
    for stray in [&[b"\xe9" as &[u8]][..], &[b"check", b"\xe9"]] {
        assert!(matches!(typed(stray), Parsed::Exit { code: 1, .. }));
    }
}

#[test]
fn stray_words_are_refused_with_what_was_probably_meant() {
    for (words, meant) in [
        (&["-q", "default", "mailers"][..], "-q mailers"),
        (&["-qdefault", "mailers", "low"], "-q mailers"),
        (&["--que", "default", "5"], "-q 5"),
        (&["-q", "default", "-v", "mailers"], "-q mailers"),
        (&["-c", "5", "7"], "-c 7"),
        (&["app.rb"], "-r app.rb"),
        (&["../shop"], "-r ../shop"),
        (&["config/mail.yml"], "-C config/mail.yml"),
        (&["production"], "-e production"),
        (&["RAILS_ENV=production"], "RAILS_ENV=production footplate"),
        (&["sidekiq"], "leave it out"),
        (&["start"], "leave it out"),
        (&["check", "mailers"], "-q mailers"),
        (&["--", "mailers"], "-q mailers"),
        (&["redis://:secret@h"], "REDIS_URL"),
    ] {
        let said = refused(words);
        assert!(said.contains(meant), "{words:?}: {said}");
        assert!(
            said.starts_with("error: ") && said.lines().count() == 1,
            "{said}"
        );
    }
}

#[test]
fn what_is_repeated_holds_no_password() {
    for words in [
        &["redis://:secret@h"][..],
        &["secret:secret@h"],
        &["-c", "redis://u:a@secret@h/0"],
        &["-credis://secret@h"],
        &["--timeout=:secret@h"],
        &["--conc=redis://:sec/secret@h"],
        &["URL=redis://:secret@h"],
        &["--nonsense=redis://:secret@h"],
    ] {
        let said = refused(words);
        assert!(
            !said.replace("secret:REDACTED", "").contains("secret"),
            "{words:?}: {said}"
        );
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
fn check_takes_the_same_flags_on_either_side() {
    for words in [
        &["check", "-C", "x.yml", "-q", "a"],
        &["-C", "x.yml", "-q", "a", "check"],
    ] {
        let Parsed::Check(options) = parse(words) else {
            panic!("{words:?} should check");
        };
        assert_eq!(options.config_file.as_deref(), Some(OsStr::new("x.yml")));
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
    // Those who want to know whether it is safe to try should be able to read what runs.
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
    let argv = [OsString::from("--help")];
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
