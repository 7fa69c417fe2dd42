//! Whether a failed job is retried, and what becomes of it when it is not.

use super::*;

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
fn tells_the_caller_whom_to_ask() {
    let payload = br#"{"class":"Sidekiq::ActiveJob::Wrapper","wrapped":"M\u0061il","backtrace":7}"#;
    let failing = Failing::read(payload, "q", &policy(EIGHT)).unwrap();
    assert_eq!(failing.class(), Some("Sidekiq::ActiveJob::Wrapper"));
    assert_eq!(failing.wrapped(), Some("Mail"));
    assert_eq!(failing.wants_backtrace, Some(Backtrace::Lines(7)));
    assert!(Failing::read(b"[]", "q", &policy(EIGHT)).is_err());
}
