//! The whole, against what the gems' own code did.

use super::*;
use crate::job::ruby_float;

/// What the gems' own `JobRetry` did at 1735689600.1230001 with the highest jitter: one JSON array
/// a line of major version, payload, class (K1 has `retry: true`, K2 4, K3 false, K4 a
/// `sidekiq_retry_in` of 100, none is the global handler), what became of the job, its score in the
/// retry set, and the payload that was stored or given to death handlers.
const GOLDEN: &str = include_str!("../golden/failures.jsonl");

#[test]
fn failures_end_as_with_the_gems() {
    let now = 1_735_689_600.123_000_1;
    assert!(GOLDEN.lines().count() >= 81);
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
