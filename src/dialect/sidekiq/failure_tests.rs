#![allow(clippy::unwrap_used)]

use super::*;

#[path = "failure_tests/backtrace.rs"]
mod backtrace;
#[path = "failure_tests/delay.rs"]
mod delay;
#[path = "failure_tests/exhaustion.rs"]
mod exhaustion;
#[path = "failure_tests/golden.rs"]
mod golden;
#[path = "failure_tests/payload.rs"]
mod payload;

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
