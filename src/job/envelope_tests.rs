#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn read(payload: &str) -> Option<Envelope> {
    Envelope::read(payload.as_bytes())
}

fn text(payload: &[u8], span: &Range<u32>) -> String {
    String::from_utf8(payload[span.start as usize..span.end as usize].to_vec()).unwrap()
}

#[test]
fn reads_what_a_client_writes() {
    let payload = br#"{"retry":5,"queue":"default","wrapped":"Mail","args":[1,{"a":"\"]"}],"class":"W","jid":"ab","tags":["x"],"bid":null,"created_at":1735689600000}"#;
    let read = Envelope::read(payload).unwrap();
    assert_eq!(text(payload, &read.class), "W");
    assert_eq!(text(payload, read.wrapped.as_ref().unwrap()), "Mail");
    assert_eq!(text(payload, read.jid.as_ref().unwrap()), "ab");
    assert_eq!(text(payload, &read.args), r#"[1,{"a":"\"]"}]"#);
    assert_eq!(text(payload, read.tags.as_ref().unwrap()), r#"["x"]"#);
    assert_eq!(text(payload, read.bid.as_ref().unwrap()), "null");
    assert_eq!(read.retry, Retry::Count(5));
    assert!(!read.special);
}

#[test]
fn reads_every_form_of_retry() {
    let retry = |json: &str| {
        read(&format!(r#"{{"class":"A","args":[],"retry":{json}}}"#))
            .unwrap()
            .retry
    };
    assert_eq!(retry("null"), Retry::Absent);
    assert_eq!(retry("true"), Retry::Flag(true));
    assert_eq!(retry("false"), Retry::Flag(false));
    assert_eq!(retry("-0"), Retry::Count(0));
    assert_eq!(retry("-3"), Retry::Count(-3));
    assert_eq!(retry("99999999999999999999"), Retry::Count(i64::MAX));
    assert_eq!(retry("3.0"), Retry::Other);
    assert_eq!(retry("\"3\""), Retry::Other);
}

#[test]
fn marks_jobs_that_ask_for_more_than_perform() {
    for field in ["log_level", "profile", "display_class", "encrypt"] {
        assert!(
            read(&format!(r#"{{"class":"A","args":[],"{field}":1}}"#))
                .unwrap()
                .special
        );
    }
}

#[test]
fn marks_jobs_that_could_forge_lines_of_the_log() {
    let special = |fields: &str| {
        read(&format!(r#"{{"class":"A","args":["\\n"],{fields}}}"#))
            .unwrap()
            .special
    };
    for fields in [
        r#""tags":["a\nb"]"#,
        r#""bid":"\u001b[2J""#,
        "\"jid\":\"a\u{7f}b\"",
        "\"jid\":\"a\u{85}b\"",
        "\"wrapped\":\"A\u{2028}\"",
    ] {
        assert!(special(fields), "{fields}");
    }
    assert!(!special(r#""jid":"été","tags":["日本"]"#));
}

#[test]
fn leaves_to_ruby_what_ruby_may_read_differently() {
    let nested = format!(
        r#"{{"class":"A","args":{}1{}}}"#,
        "[".repeat(100),
        "]".repeat(100)
    );
    let many: String = (0..40).map(|n| format!(r#""k{n}":1,"#)).collect();
    let many = format!(r#"{{{many}"class":"A","args":[]}}"#);
    let refused = [
        "",
        "[]",
        "{}",
        "5",
        "null",
        "{\"class\":\"A\"",
        &nested,
        &many,
        r#"{"class":"A"}"#,
        r#"{"args":[]}"#,
        r#"{"class":null,"args":[]}"#,
        r#"{"class":1,"args":[]}"#,
        r#"{"class":"A","args":{}}"#,
        r#"{"class":"A","args":null}"#,
        r#"{"class":"A\u0041","args":[]}"#,
        r#"{"class":"A","args":[],"jid":5}"#,
        r#"{"class":"A","args":[],"wrapped":false}"#,
        r#"{"cl\u0061ss":"A","args":[]}"#,
        r#"{"class":"A","class":"B","args":[]}"#,
        r#"{"class":"A","args":[],"x":1,"x":2}"#,
        r#"{"class":"A","args":[]} x"#,
        r#"{"class":"A","args":[],}"#,
        r#"{"class":"A","args":[01]}"#,
        r#"{"class":"A","args":[-]}"#,
        r#"{"class":"A","args":[2.]}"#,
        r#"{"class":"A","args":[.5]}"#,
        r#"{"class":"A","args":[1e]}"#,
        r#"{"class":"A","args":[1e999]}"#,
        r#"{"class":"A","args":[NaN]}"#,
        r#"{"class":"A","args":[-Infinity]}"#,
        r#"{"class":"A","args":[1,]}"#,
        r#"{"class":"A","args":["\x"]}"#,
        r#"{"class":"A","args":["\ud800"]}"#,
        r#"{"class":"A","args":["\udc00\ud800"]}"#,
        r#"{"class":"A","args":["\u12"]}"#,
        r#"{"class":"A",/* */"args":[]}"#,
        "{\"class\":\"A\",\"args\":[\"\t\"]}",
        "{\"class\":\"A\",\"args\":[]}\0",
        "\u{feff}{\"class\":\"A\",\"args\":[]}",
        "\u{c}{\"class\":\"A\",\"args\":[]}",
    ];
    for payload in refused {
        assert_eq!(read(payload), None, "{payload}");
    }
    assert_eq!(
        Envelope::read(b"{\"class\":\"A\",\"args\":[\"\xff\"]}"),
        None
    );
}

#[test]
fn takes_what_all_parsers_agree_on() {
    let deepest = format!(
        r#"{{"class":"A","args":{}1{}}}"#,
        "[".repeat(99),
        "]".repeat(99)
    );
    for payload in [
        deepest.as_str(),
        " {\t\"class\" : \"A\" ,\r\n\"args\":[ ] } ",
        r#"{"class":"A","args":["\ud83d\ude00","\u0000","é",-0.0,1e5,1E+5,12345678901234567890123,{}]}"#,
    ] {
        assert!(read(payload).is_some(), "{payload}");
    }
}

/// Pieces that make near-JSON likely.
fn soup() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\"class\"",
        "\"args\":[",
        "\"A\"",
        "\"class\":\"A\"",
        "\\u0041",
        "\\ud83d",
        "\\",
        "1",
        "0",
        "-",
        ".",
        "e",
        "true",
        "null",
        " ",
        "/**/",
        "é",
        "\n",
        "\u{7f}",
    ]);
    prop::collection::vec(piece, 0..24)
        .prop_map(|pieces| format!("{{\"class\":\"A\",\"args\":[{}]}}", pieces.concat()))
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9f64).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(any::<String>(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn agrees(payload: &[u8]) -> Result<bool, TestCaseError> {
    let Some(read) = Envelope::read(payload) else {
        return Ok(false);
    };
    let value: Value =
        serde_json::from_slice(payload).map_err(|e| TestCaseError::fail(e.to_string()))?;
    let slice = |span: &Range<u32>| &payload[span.start as usize..span.end as usize];
    let raw = |span: &Range<u32>| serde_json::from_slice::<Value>(slice(span)).unwrap();
    prop_assert_eq!(
        value["class"].as_str().unwrap().as_bytes(),
        slice(&read.class)
    );
    prop_assert_eq!(
        value["jid"].as_str().map(str::as_bytes),
        read.jid.as_ref().map(slice)
    );
    prop_assert_eq!(
        value["wrapped"].as_str().map(str::as_bytes),
        read.wrapped.as_ref().map(slice)
    );
    prop_assert_eq!(&value["args"], &raw(&read.args));
    prop_assert_eq!(value.get("bid").cloned(), read.bid.as_ref().map(raw));
    prop_assert_eq!(value.get("tags").cloned(), read.tags.as_ref().map(raw));
    let retry = value["retry"].to_string();
    prop_assert_eq!(Retry::from_json(retry.as_bytes()), read.retry);
    let asks = ["log_level", "profile", "display_class", "encrypt"]
        .iter()
        .any(|f| value.get(f).is_some());
    let logged = ["class", "wrapped", "jid", "bid", "tags"].map(|f| value[f].to_string());
    let text = logged.concat();
    let control = |it: char| it.is_control() || matches!(it, '\u{2028}' | '\u{2029}');
    prop_assert!(read.special || !(asks || text.contains('\\') || text.contains(control)));
    Ok(true)
}

proptest! {
    #[test]
    fn never_reads_what_serde_reads_otherwise(payload in soup()) {
        agrees(payload.as_bytes())?;
    }

    #[test]
    fn never_panics(payload in prop::collection::vec(any::<u8>(), 0..64)) {
        Envelope::read(&payload);
    }

    #[test]
    fn reads_generated_payloads(args in prop::collection::vec(json(), 0..4), tags in json(), retry in json(), jid in "[0-9a-f]{24}", log in any::<bool>()) {
        let mut payload = serde_json::json!({"class": "A::B", "args": args, "tags": tags, "retry": retry, "jid": jid});
        if log { payload["log_level"] = "debug".into(); }
        prop_assert!(agrees(payload.to_string().as_bytes())?);
    }
}
