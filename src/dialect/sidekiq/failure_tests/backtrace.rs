//! How much of a backtrace is wanted, and how it is kept.

use std::io::Read as _;

use flate2::read::ZlibDecoder;
use serde_json::Value;

use super::*;

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
