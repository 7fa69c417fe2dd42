#![allow(clippy::unwrap_used)]

use std::io::Read as _;

use flate2::read::ZlibDecoder;
use serde_json::{Value, json};

use super::*;
use crate::job::ruby_float;

const OLD: SidekiqVersion = SidekiqVersion::new(6, 4, 1);
const SEVEN: SidekiqVersion = SidekiqVersion::new(7, 3, 2);
const EIGHT: SidekiqVersion = SidekiqVersion::new(8, 1, 7);
const ALL: [SidekiqVersion; 3] = [OLD, SEVEN, EIGHT];
const NOW: f64 = 1_735_689_600.123;

fn raised() -> Raised<'static> {
    Raised {
        class: Some(b"RuntimeError"),
        message: b"boom",
        backtrace: None,
    }
}

fn policy(version: SidekiqVersion) -> Policy {
    Policy {
        version,
        max_retries: 25,
    }
}

fn fail_with(payload: &str, version: SidekiqVersion, class: Option<&str>) -> Verdict {
    Failing::read(payload.as_bytes(), "q", &policy(version))
        .unwrap()
        .record(&raised(), class.map(str::as_bytes), NOW)
}

fn fail(payload: &str, version: SidekiqVersion) -> Verdict {
    fail_with(payload, version, Some("true"))
}

fn plan(verdict: Verdict) -> Plan {
    match verdict {
        Verdict::Exhausted(plan) | Verdict::Ask(plan) => plan,
        Verdict::Ignored => panic!("ignored"),
    }
}

fn written(verdict: Verdict) -> String {
    String::from_utf8(plan(verdict).into_payload()).unwrap()
}

fn is_exhausted(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Exhausted(_))
}

#[test]
fn the_first_failure_is_written_in_sidekiqs_order() {
    let payload = r#"{"retry":true,"queue":"q","args":[1.50],"class":"A"}"#;
    let tail = r#","error_message":"boom","error_class":"RuntimeError","failed_at":"#;
    for (version, stamp) in [
        (OLD, "1735689600.123"),
        (SEVEN, "1735689600.123"),
        (EIGHT, "1735689600123"),
    ] {
        let expected = format!(
            r#"{{"retry":true,"queue":"q","args":[1.50],"class":"A"{tail}{stamp},"retry_count":0}}"#
        );
        assert_eq!(written(fail(payload, version)), expected);
    }
}

#[test]
fn a_later_failure_counts_on() {
    let payload = r#"{"retry":true,"args":[],"failed_at":1.5,"retry_count":3}"#;
    for (version, stamp) in [
        (OLD, "1735689600.123"),
        (SEVEN, "1735689600.123"),
        (EIGHT, "1735689600123"),
    ] {
        let verdict = fail(payload, version);
        let expected = format!(
            r#"{{"retry":true,"args":[],"failed_at":1.5,"retry_count":4,"queue":"q","error_message":"boom","error_class":"RuntimeError","retried_at":{stamp}}}"#
        );
        assert_eq!(written(verdict), expected);
    }
    assert!(written(fail(payload, EIGHT)).contains(r#""retry_count":4"#));
    assert!(
        written(fail(r#"{"retry":true,"retry_count":2.0}"#, EIGHT))
            .contains(r#""retry_count":3.0"#)
    );
    // nil and false are a first failure to Sidekiq; it would lose a job with a word here.
    for odd in ["null", "false", "\"3\""] {
        let first = written(fail(
            &format!(r#"{{"retry":true,"retry_count":{odd}}}"#),
            EIGHT,
        ));
        assert!(
            first.contains(r#""retry_count":0"#) && first.contains("failed_at"),
            "{first}"
        );
    }
}

#[test]
fn a_falsy_retry_stores_nothing() {
    for version in ALL {
        for class in [Some("true"), Some("3"), None] {
            assert!(matches!(
                fail_with(r#"{"retry":false}"#, version, class),
                Verdict::Ignored
            ));
        }
        for class in [None, Some("null"), Some("false")] {
            assert!(matches!(fail_with("{}", version, class), Verdict::Ignored));
            assert!(matches!(
                fail_with(r#"{"retry":null}"#, version, class),
                Verdict::Ignored
            ));
        }
        assert!(matches!(
            fail_with(r#"{"retry":true}"#, version, None),
            Verdict::Ask(_)
        ));
    }
}

#[test]
fn an_absent_retry_is_taken_from_the_class_and_written_first() {
    let added = |class, payload| written(fail_with(payload, EIGHT, class));
    assert!(added(Some("true"), "{}").starts_with(r#"{"retry":true,"queue":"q""#));
    assert!(added(Some("2"), "{}").starts_with(r#"{"retry":2,"queue":"q""#));
    assert!(
        added(Some("2"), r#"{"retry":null,"a":1}"#).starts_with(r#"{"retry":2,"a":1,"queue":"q""#)
    );
    for odd in ["\"3\"", "2.5", "[]", "100000000000000000000"] {
        let expected = format!(r#"{{"retry":{odd},"queue":"q""#);
        assert!(added(Some(odd), "{}").starts_with(&expected), "{odd}");
    }
    assert!(is_exhausted(&fail_with("{}", EIGHT, Some("0"))));
    assert!(
        Failing::read(b"{}", "q", &policy(EIGHT))
            .unwrap()
            .asks_class()
    );
}

#[test]
fn a_count_of_retries_is_kept() {
    for version in ALL {
        let after = |retry: &str, count: &str| {
            is_exhausted(&fail(
                &format!(r#"{{"retry":{retry},"retry_count":{count},"failed_at":1.0}}"#),
                version,
            ))
        };
        assert!(is_exhausted(&fail(r#"{"retry":0}"#, version)));
        assert!(!is_exhausted(&fail(r#"{"retry":1}"#, version)));
        assert!(after("1", "0"));
        assert!(!after("true", "23"));
        assert!(after("true", "24"));
        // A float or a word is not an Integer: the default counts.
        assert!(!after("3.0", "10"));
        assert!(!after("\"3\"", "10"));
    }
    let policy = Policy {
        version: EIGHT,
        max_retries: 1,
    };
    let failing = Failing::read(br#"{"retry":true,"retry_count":0}"#, "q", &policy).unwrap();
    assert!(is_exhausted(&failing.record(&raised(), None, NOW)));
}

#[test]
fn retry_for_follows_the_version() {
    let payload = |retry: &str, failed_at: &str| {
        format!(r#"{{"retry":{retry},"retry_for":60,"retry_count":30,"failed_at":{failed_at}}}"#)
    };
    let over = |version, retry: &str, failed_at: &str| {
        is_exhausted(&fail(&payload(retry, failed_at), version))
    };
    let (recent, long_ago) = ("1735689541.0", "1735689540.0");
    let (recent_ms, long_ago_ms) = ("1735689540124", "1735689540122");
    // 6.4 does not know it: only the count (31 of 100) matters.
    assert!(!over(OLD, "100", long_ago));
    assert!(over(OLD, "5", recent));
    // 7: both limits, and milliseconds are read as seconds.
    assert!(over(SEVEN, "100", long_ago));
    assert!(!over(SEVEN, "100", recent));
    assert!(over(SEVEN, "5", recent));
    assert!(!over(SEVEN, "100", long_ago_ms));
    // 8.0: both limits, both units.
    let eight_zero = SidekiqVersion::new(8, 0, 10);
    assert!(over(eight_zero, "5", recent_ms));
    assert!(over(eight_zero, "100", "1735689539999"));
    assert!(
        over(eight_zero, "100", recent_ms),
        "the milliseconds are dropped before 8.1.5"
    );
    // 8.1: only the time.
    assert!(!over(EIGHT, "5", recent));
    assert!(!over(EIGHT, "5", recent_ms));
    assert!(over(EIGHT, "100", long_ago));
    assert!(over(EIGHT, "100", long_ago_ms));
    // A falsy one is none; of a first failure only nothing is over.
    assert!(is_exhausted(&fail(
        r#"{"retry":5,"retry_for":null,"retry_count":9}"#,
        EIGHT
    )));
    assert!(!is_exhausted(&fail(r#"{"retry":0,"retry_for":60}"#, EIGHT)));
    assert!(is_exhausted(&fail(r#"{"retry":5,"retry_for":0}"#, EIGHT)));
}

#[test]
fn the_default_delay_is_sidekiqs_table() {
    for version in ALL {
        for (count, delay) in [15.0, 16.0, 31.0, 96.0, 271.0, 640.0, 1311.0]
            .into_iter()
            .enumerate()
        {
            let payload = match count {
                0 => r#"{"retry":true}"#.to_owned(),
                _ => format!(r#"{{"retry":true,"retry_count":{}}}"#, count - 1),
            };
            let plan = plan(fail(&payload, version));
            assert_eq!(plan.retry_at(None, 1000.0, &mut |_| 0), 1000.0 + delay);
        }
    }
}

#[test]
fn jitter_is_added_to_every_delay() {
    let payload = r#"{"retry":true,"retry_count":1}"#;
    let mut asked = Vec::new();
    for version in ALL {
        let at = plan(fail(payload, version)).retry_at(Some(100.0), 0.5, &mut |n| {
            asked.push(n);
            n - 1
        });
        assert_eq!(at, if version == EIGHT { 129.5 } else { 127.5 });
    }
    assert_eq!(asked, [10, 10, 30]);
    let plan = plan(fail(payload, EIGHT));
    for none in [None, Some(0.0), Some(-5.0)] {
        assert_eq!(plan.retry_at(none, 0.0, &mut |_| 0), 31.0);
    }
}

#[test]
fn odd_counts_are_counted_on() {
    let cases = [
        ("9223372036854775807", "9223372036854775808", 2f64.powi(252)),
        (
            "100000000000000000000",
            "100000000000000000001",
            100_000_000_000_000_000_001f64.powi(4),
        ),
        ("-100000000000000000000", "-99999999999999999999", 1e80),
        ("1.5", "2.5", 39.0625 + 15.0),
        ("-5", "-4", 256.0 + 15.0),
        ("1e300", "1.0e+300", f64::INFINITY),
    ];
    for (count, next, delay) in cases {
        let payload = format!(r#"{{"retry":true,"retry_count":{count}}}"#);
        let plan = plan(fail(&payload, EIGHT));
        assert_eq!(plan.retry_at(None, 0.0, &mut |_| 0), delay, "{count}");
        let written = String::from_utf8(plan.into_payload()).unwrap();
        let expected = format!(r#""retry_count":{next},"#);
        assert!(written.contains(&expected), "{written}");
    }
    let plan = plan(fail(r#"{"retry":true}"#, EIGHT));
    assert_eq!(plan.retry_at(Some(1e20), 0.0, &mut |_| 0), 1e20);
    assert_eq!(
        plan.retry_at(Some(f64::INFINITY), 0.0, &mut |_| 0),
        f64::INFINITY
    );
}

#[test]
fn odd_numbers_of_retries_count_as_ruby_has_them() {
    for (retry, count, over) in [
        ("0", "null", true),
        ("-5", "null", true),
        ("-100000000000000000000", "null", true),
        ("100000000000000000000", "1000", false),
        ("5", "1.0e+20", true),
        ("5", "4.0", true),
        ("5", "3.5", false),
        ("5", "-100000000000000000000", false),
        ("\"3\"", "10", false),
        ("2.5", "10", false),
        ("[]", "24", true),
    ] {
        for version in ALL {
            let payload = format!(r#"{{"retry":{retry},"retry_count":{count},"failed_at":1.0}}"#);
            assert_eq!(is_exhausted(&fail(&payload, version)), over, "{payload}");
        }
    }
}

#[test]
fn the_dead_set_is_for_all_but_dead_false() {
    for version in ALL {
        let goes =
            |dead: &str| plan(fail(&format!(r#"{{"retry":0{dead}}}"#), version)).goes_to_dead_set();
        assert!(goes(""));
        assert!(goes(r#","dead":true"#));
        assert!(goes(r#","dead":null"#));
        assert!(!goes(r#","dead":false"#));
    }
}

#[test]
fn a_discarded_job_says_when() {
    let discarded =
        |version| String::from_utf8(plan(fail(r#"{"retry":0}"#, version)).discarded(NOW)).unwrap();
    assert!(!discarded(OLD).contains("discarded_at"));
    assert!(!discarded(SEVEN).contains("discarded_at"));
    assert!(discarded(EIGHT).ends_with(r#","discarded_at":1735689600123}"#));
}

#[test]
fn the_retry_queue_wins() {
    let queue = |payload: &str| {
        let value: Value = serde_json::from_str(&written(fail(payload, EIGHT))).unwrap();
        value["queue"].clone()
    };
    assert_eq!(queue(r#"{"retry":true,"queue":"other"}"#), "q");
    assert_eq!(
        queue(r#"{"retry":true,"queue":"other","retry_queue":"low"}"#),
        "low"
    );
    assert_eq!(queue(r#"{"retry":true,"retry_queue":null}"#), "q");
}

#[test]
fn names_and_messages_are_scrubbed_as_ruby_does() {
    let message = |bytes: &[u8], class| {
        let failing = Failing::read(br#"{"retry":true}"#, "q", &policy(EIGHT)).unwrap();
        let verdict = failing.record(
            &Raised {
                class,
                message: bytes,
                backtrace: None,
            },
            None,
            NOW,
        );
        serde_json::from_str::<Value>(&written(verdict)).unwrap()
    };
    let fffd = |n: usize| "\u{fffd}".repeat(n);
    for (bytes, text) in [
        (&b"a\xff/\"\n"[..], format!("a{}/\"\n", fffd(1))),
        (b"\xff\xfe", fffd(2)),
        (b"a\xe3\x81", format!("a{}", fffd(1))),
        (b"\xe3\x81\xe3\x81\x82", format!("{}あ", fffd(1))),
        (b"\xed\xa0\x80", fffd(3)),
        (b"a\xf0\x80\x80\x80b", format!("a{}b", fffd(4))),
    ] {
        let written = message(bytes, Some(bytes));
        assert_eq!(written["error_message"], text);
        assert_eq!(written["error_class"], text);
    }
    assert_eq!(message(b"", None)["error_class"], Value::Null);
}

fn backtrace(
    payload: &str,
    version: SidekiqVersion,
    lines: Option<&[u8]>,
) -> Option<(String, Value)> {
    let failing = Failing::read(payload.as_bytes(), "q", &policy(version)).unwrap();
    let raised = Raised {
        backtrace: lines,
        ..raised()
    };
    let value: Value = serde_json::from_str(&written(failing.record(&raised, None, NOW))).unwrap();
    let encoded = value.get("error_backtrace")?.as_str()?.to_owned();
    let mut json = String::new();
    let zlib = BASE64.decode(encoded.replace('\n', "")).unwrap();
    ZlibDecoder::new(&zlib[..])
        .read_to_string(&mut json)
        .unwrap();
    Some((encoded, serde_json::from_str(&json).unwrap()))
}

#[test]
fn backtraces_are_kept_as_the_version_encodes_them() {
    let lines: Vec<String> = (0..40u64)
        .map(|n| format!("app/{:x}.rb:{n}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
        .collect();
    let lines = serde_json::to_vec(&lines).unwrap();
    let all = r#"{"retry":true,"backtrace":true}"#;
    let (strict, kept) = backtrace(all, EIGHT, Some(&lines)).unwrap();
    assert_eq!(kept, serde_json::from_slice::<Value>(&lines).unwrap());
    assert!(!strict.contains('\n'));
    let mime = backtrace(all, OLD, Some(&lines)).unwrap().0;
    assert!(mime.ends_with('\n') && mime.lines().rev().skip(1).all(|line| line.len() == 60));
    assert_eq!(mime.replace('\n', ""), strict);
    assert_eq!(backtrace(all, EIGHT, None), None);
}

#[test]
fn as_much_of_a_backtrace_is_wanted_as_the_payload_says() {
    let wanted = |json: &str| {
        let payload = format!(r#"{{"backtrace":{json}}}"#);
        let failing = Failing::read(payload.as_bytes(), "q", &policy(EIGHT)).unwrap();
        failing.wants_backtrace
    };
    for (json, lines) in [
        ("3", 3),
        ("\"3\"", 3),
        ("\"-3x\"", -3),
        ("\"many\"", 0),
        ("2.9", 2),
        ("0", 0),
        ("-1", -1),
        ("100000000000000000000", i64::MAX),
        ("\"100000000000000000000\"", i64::MAX),
    ] {
        assert_eq!(wanted(json), Some(Backtrace::Lines(lines)), "{json}");
    }
    assert_eq!(wanted("true"), Some(Backtrace::All));
    for none in ["false", "null", "[]", "{}", "1e400"] {
        assert_eq!(wanted(none), None, "{none}");
    }
}

#[test]
fn tells_the_caller_whom_to_ask() {
    let payload = br#"{"class":"Sidekiq::ActiveJob::Wrapper","wrapped":"M\u0061il","backtrace":7}"#;
    let failing = Failing::read(payload, "q", &policy(EIGHT)).unwrap();
    assert_eq!(failing.class(), Some("Sidekiq::ActiveJob::Wrapper"));
    assert_eq!(failing.wrapped(), Some("Mail"));
    assert_eq!(failing.wants_backtrace, Some(Backtrace::Lines(7)));
    assert!(Failing::read(b"[]", "q", &policy(EIGHT)).is_err());
}

#[test]
fn every_other_byte_stays() {
    let payload =
        "{ \"args\" : [ 1.50, \"\\u00e9\\/\", 12345678901234567890123 ],\"x\":1e5, \"retry\":true}";
    let after = written(fail(payload, EIGHT));
    assert!(after.starts_with(
        "{ \"args\" : [ 1.50, \"\\u00e9\\/\", 12345678901234567890123 ],\"x\":1e5, \"retry\":true,"
    ));
    let value: Value = serde_json::from_str(&after).unwrap();
    assert_eq!(value["error_class"], json!("RuntimeError"));
}

/// What the gems' own `JobRetry` did at 1735689600.1230001 with the highest jitter: one JSON array
/// a line of major version, payload, class (K1 has `retry: true`, K2 4, K3 false, K4 a
/// `sidekiq_retry_in` of 100, none is the global handler), what became of the job, its score in the
/// retry set, and the payload that was stored or given to death handlers.
const GOLDEN: &str = include_str!("golden/failures.jsonl");

#[test]
fn failures_end_as_with_the_gems() {
    let now = 1_735_689_600.123_000_1;
    for line in GOLDEN.lines() {
        let (major, payload, class, fate, score, stored): (
            u16,
            String,
            String,
            String,
            String,
            String,
        ) = serde_json::from_str(line).unwrap();
        let version = *ALL.iter().find(|version| version.major == major).unwrap();
        let failing = Failing::read(payload.as_bytes(), "q", &policy(version)).unwrap();
        let class_retry = match class.as_str() {
            "K2" => Some("4"),
            "K3" => Some("false"),
            "" => None,
            _ => Some("true"),
        };
        let delay = (class == "K4").then_some(100.0);
        let raised = Raised {
            message: b"a\xffb/\"\n\xe2\x80\xa8\xc3\xa9",
            ..raised()
        };
        let (found, at, bytes) = match failing.record(&raised, class_retry.map(str::as_bytes), now)
        {
            Verdict::Ignored => ("death", String::new(), payload.clone().into_bytes()),
            Verdict::Exhausted(plan) if plan.goes_to_dead_set() => {
                ("dead", String::new(), plan.into_payload())
            }
            Verdict::Exhausted(plan) => ("death", String::new(), plan.discarded(now)),
            Verdict::Ask(plan) => (
                "retry",
                ruby_float(plan.retry_at(delay, now, &mut |n| n - 1)),
                plan.into_payload(),
            ),
        };
        assert_eq!(
            (found, at.as_str()),
            (fate.as_str(), score.as_str()),
            "{line}"
        );
        assert_eq!(String::from_utf8(bytes).unwrap(), stored, "{line}");
    }
}
