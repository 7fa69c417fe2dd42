//! What is written into the payload of a failed job.

use serde_json::{Value, json};

use super::*;

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
