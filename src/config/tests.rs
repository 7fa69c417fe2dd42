// A test that meets something unexpected should end there.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::{Config, Format, Mode, Queue};

fn sample() -> Value {
    json!({
        "hostname": "web-1", "pid": 7, "nonce": "0123456789ab", "started_at": 1735689600.5,
        "redis": {"host": "localhost"},
        "capsules": [{
            "name": "default", "concurrency": 5, "mode": "weighted",
            "queues": [{"name": "critical", "weight": 2}, {"name": "low", "weight": 0}]
        }],
        "dead_max_jobs": 10000, "dead_timeout_in_seconds": 15552000,
        "max_retries": 25, "client_middleware": false, "log": {}
    })
}

/// The sample with one place changed.
fn with(pointer: &str, value: Value) -> String {
    let mut config = sample();
    match config.pointer_mut(pointer) {
        Some(place) => *place = value,
        None => {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            config.pointer_mut(parent).unwrap()[name] = value;
        }
    }
    config.to_string()
}

fn refusal(pointer: &str, value: Value) -> String {
    Config::from_json(&with(pointer, value))
        .unwrap_err()
        .to_string()
}

#[test]
fn the_least_that_is_needed() {
    let config = Config::from_json(&sample().to_string()).unwrap();
    assert_eq!(config.identity(), "web-1:7:0123456789ab");
    assert_eq!(config.total_concurrency(), 5);
    assert_eq!(config.capsules[0].mode, Mode::Weighted);
    assert_eq!(
        config.capsules[0]
            .queues
            .iter()
            .map(Queue::share)
            .collect::<Vec<_>>(),
        [2, 1]
    );
    assert_eq!(config.tuning.lease_seconds, 10.0);
    assert_eq!(config.tuning.beat_seconds, 5.0);
    assert_eq!(config.sidekiq_version, None);
    assert_eq!(config.log.native, None);
    assert_eq!(config.namespace(), None);
}

#[test]
fn a_native_log_is_read() {
    let log = json!({"native": {"fd": 1, "format": "without_timestamp", "colour": true}});
    let config = Config::from_json(&with("/log", log)).unwrap();
    assert_eq!(config.log.native.unwrap().format, Format::WithoutTimestamp);
}

#[test]
fn errors_of_shape_name_the_path() {
    assert_eq!(
        refusal("/capsules/0/concurrency", json!("five")),
        "capsules[0].concurrency: invalid type: string \"five\", expected u32"
    );
    assert!(
        refusal("/capsules/0/queues/1/wait", json!(1))
            .starts_with("capsules[0].queues[1].wait: unknown field")
    );
    assert!(refusal("/concurency", json!(1)).starts_with("concurency: unknown field"));
    assert!(refusal("/capsules/0/concurrency", json!(-1)).starts_with("capsules[0].concurrency: "));
    let missing = Config::from_json("{}").unwrap_err().to_string();
    assert_eq!(missing, "configuration: missing field `hostname`");
    assert!(Config::from_json("[").is_err());
    assert!(Config::from_json("").is_err());
}

#[test]
fn values_that_make_no_sense_are_one_sentence() {
    let cases = [
        (
            "/capsules",
            json!([]),
            "capsules: there must be at least one.",
        ),
        (
            "/capsules/0/name",
            json!(""),
            "capsules: each needs a name.",
        ),
        (
            "/capsules/0/concurrency",
            json!(0),
            "concurrency: 0 is not a valid value (capsule default).",
        ),
        (
            "/capsules/0/queues",
            json!([]),
            "queues: the capsule default has none.",
        ),
        (
            "/capsules/0/queues/0/name",
            json!(""),
            "queues: a queue of the capsule default has no name.",
        ),
        (
            "/capsules/0/queues/0/name",
            json!("low"),
            "queues: the capsule default has low twice.",
        ),
        (
            "/redis",
            json!("redis://x"),
            "redis: invalid type: string \"redis://x\", expected an object",
        ),
        (
            "/tuning",
            json!({"lease_seconds": 1}),
            "lease_seconds: 1 must lie between 2 and 300 seconds.",
        ),
        (
            "/tuning",
            json!({"beat_seconds": 60}),
            "beat_seconds: 60 must lie between 0.5 and 10 seconds.",
        ),
        (
            "/tuning",
            json!({"prefetch_ms": 2000}),
            "prefetch_ms: 2000 must lie between 0 and 1000.",
        ),
        (
            "/tuning",
            json!({"shortcuts": ["parcels", "magic"]}),
            "tuning.shortcuts[1]: unknown variant `magic`, expected one of `parcels`, `large`, `hand_off`, `direct_take`",
        ),
    ];
    for (pointer, value, sentence) in cases {
        assert_eq!(refusal(pointer, value), sentence);
    }
}

#[test]
fn two_capsules_of_one_name_are_refused() {
    let capsule = sample()["capsules"][0].clone();
    let said = refusal("/capsules", json!([capsule, capsule]));
    assert_eq!(said, "capsules: default is there twice.");
}
