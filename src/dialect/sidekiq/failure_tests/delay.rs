//! When a failed job is retried.

use super::*;

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
