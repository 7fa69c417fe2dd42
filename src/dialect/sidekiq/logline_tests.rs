#![allow(clippy::unwrap_used)]

use super::Style::{Json, Plain, Pretty, WithoutTimestamp};
use super::*;
use crate::dialect::sidekiq::Utc;

/// Made by the gems' own formatters at 1735689600.123999: major version, style, case, line.
#[rustfmt::skip]
const GOLDEN: &[(u16, Style, usize, &str)] = &[
    (6, Pretty, 0, "2025-01-01T00:00:00.123Z pid=42 tid=1abc INFO: msg \"é\"\n/\n"),
    (6, Pretty, 1, "2025-01-01T00:00:00.123Z pid=42 tid=1abc class=A::B jid=j1 WARN: msg \"é\"\n/\n"),
    (6, Pretty, 2, "2025-01-01T00:00:00.123Z pid=42 tid=1abc class=A::B jid=j1 bid=b1 tags=x,y z,,3,1,2.5 elapsed=0.12 ERROR: msg \"é\"\n/\n"),
    (6, Pretty, 3, "2025-01-01T00:00:00.123Z pid=42 tid=1abc class=A tags= FATAL: msg \"é\"\n/\n"),
    (6, Pretty, 4, "2025-01-01T00:00:00.123Z pid=42 tid=1abc class=A jid=j bid=12 tags=t elapsed=0.0 DEBUG: msg \"é\"\n/\n"),
    (6, Pretty, 5, "2025-01-01T00:00:00.123Z pid=42 tid=1abc class=A jid=j\"é\u{2028} bid=12.5 tags=true,false elapsed=12.0 ANY: msg \"é\"\n/\n"),
    (6, WithoutTimestamp, 0, "pid=42 tid=1abc INFO: msg \"é\"\n/\n"),
    (6, WithoutTimestamp, 1, "pid=42 tid=1abc class=A::B jid=j1 WARN: msg \"é\"\n/\n"),
    (6, WithoutTimestamp, 2, "pid=42 tid=1abc class=A::B jid=j1 bid=b1 tags=x,y z,,3,1,2.5 elapsed=0.12 ERROR: msg \"é\"\n/\n"),
    (6, WithoutTimestamp, 3, "pid=42 tid=1abc class=A tags= FATAL: msg \"é\"\n/\n"),
    (6, WithoutTimestamp, 4, "pid=42 tid=1abc class=A jid=j bid=12 tags=t elapsed=0.0 DEBUG: msg \"é\"\n/\n"),
    (6, WithoutTimestamp, 5, "pid=42 tid=1abc class=A jid=j\"é\u{2028} bid=12.5 tags=true,false elapsed=12.0 ANY: msg \"é\"\n/\n"),
    (6, Json, 0, "{\"ts\":\"2025-01-01T00:00:00.123Z\",\"pid\":42,\"tid\":\"1abc\",\"lvl\":\"INFO\",\"msg\":\"msg \\\"é\\\"\\n/\"}\n"),
    (6, Json, 1, "{\"ts\":\"2025-01-01T00:00:00.123Z\",\"pid\":42,\"tid\":\"1abc\",\"lvl\":\"WARN\",\"msg\":\"msg \\\"é\\\"\\n/\",\"ctx\":{\"class\":\"A::B\",\"jid\":\"j1\"}}\n"),
    (6, Json, 2, "{\"ts\":\"2025-01-01T00:00:00.123Z\",\"pid\":42,\"tid\":\"1abc\",\"lvl\":\"ERROR\",\"msg\":\"msg \\\"é\\\"\\n/\",\"ctx\":{\"class\":\"A::B\",\"jid\":\"j1\",\"bid\":\"b1\",\"tags\":[\"x\",\"y z\",null,3,[1,2.5]],\"elapsed\":0.12}}\n"),
    (6, Json, 3, "{\"ts\":\"2025-01-01T00:00:00.123Z\",\"pid\":42,\"tid\":\"1abc\",\"lvl\":\"FATAL\",\"msg\":\"msg \\\"é\\\"\\n/\",\"ctx\":{\"class\":\"A\",\"jid\":null,\"bid\":null,\"tags\":[]}}\n"),
    (6, Json, 4, "{\"ts\":\"2025-01-01T00:00:00.123Z\",\"pid\":42,\"tid\":\"1abc\",\"lvl\":\"DEBUG\",\"msg\":\"msg \\\"é\\\"\\n/\",\"ctx\":{\"class\":\"A\",\"jid\":\"j\",\"bid\":12,\"tags\":\"t\",\"elapsed\":0.0}}\n"),
    (6, Json, 5, "{\"ts\":\"2025-01-01T00:00:00.123Z\",\"pid\":42,\"tid\":\"1abc\",\"lvl\":\"ANY\",\"msg\":\"msg \\\"é\\\"\\n/\",\"ctx\":{\"class\":\"A\",\"jid\":\"j\\\"é\u{2028}\",\"bid\":12.5,\"tags\":[true,false],\"elapsed\":12.0}}\n"),
    (7, Pretty, 0, "2025-01-01T00:00:00.123Z pid=42 tid=1abc INFO: msg \"é\"\n/\n"),
    (7, Pretty, 1, "2025-01-01T00:00:00.123Z pid=42 tid=1abc class=A::B jid=j1 WARN: msg \"é\"\n/\n"),
    (7, Pretty, 2, "2025-01-01T00:00:00.123Z pid=42 tid=1abc class=A::B jid=j1 bid=b1 tags=x,y z,,3,1,2.5 elapsed=0.12 ERROR: msg \"é\"\n/\n"),
    (7, Pretty, 3, "2025-01-01T00:00:00.123Z pid=42 tid=1abc class=A tags= FATAL: msg \"é\"\n/\n"),
    (7, Pretty, 4, "2025-01-01T00:00:00.123Z pid=42 tid=1abc class=A jid=j bid=12 tags=t elapsed=0.0 DEBUG: msg \"é\"\n/\n"),
    (7, Pretty, 5, "2025-01-01T00:00:00.123Z pid=42 tid=1abc class=A jid=j\"é\u{2028} bid=12.5 tags=true,false elapsed=12.0 ANY: msg \"é\"\n/\n"),
    (7, WithoutTimestamp, 0, "pid=42 tid=1abc INFO: msg \"é\"\n/\n"),
    (7, WithoutTimestamp, 1, "pid=42 tid=1abc class=A::B jid=j1 WARN: msg \"é\"\n/\n"),
    (7, WithoutTimestamp, 2, "pid=42 tid=1abc class=A::B jid=j1 bid=b1 tags=x,y z,,3,1,2.5 elapsed=0.12 ERROR: msg \"é\"\n/\n"),
    (7, WithoutTimestamp, 3, "pid=42 tid=1abc class=A tags= FATAL: msg \"é\"\n/\n"),
    (7, WithoutTimestamp, 4, "pid=42 tid=1abc class=A jid=j bid=12 tags=t elapsed=0.0 DEBUG: msg \"é\"\n/\n"),
    (7, WithoutTimestamp, 5, "pid=42 tid=1abc class=A jid=j\"é\u{2028} bid=12.5 tags=true,false elapsed=12.0 ANY: msg \"é\"\n/\n"),
    (7, Json, 0, "{\"ts\":\"2025-01-01T00:00:00.123Z\",\"pid\":42,\"tid\":\"1abc\",\"lvl\":\"INFO\",\"msg\":\"msg \\\"é\\\"\\n/\"}\n"),
    (7, Json, 1, "{\"ts\":\"2025-01-01T00:00:00.123Z\",\"pid\":42,\"tid\":\"1abc\",\"lvl\":\"WARN\",\"msg\":\"msg \\\"é\\\"\\n/\",\"ctx\":{\"class\":\"A::B\",\"jid\":\"j1\"}}\n"),
    (7, Json, 2, "{\"ts\":\"2025-01-01T00:00:00.123Z\",\"pid\":42,\"tid\":\"1abc\",\"lvl\":\"ERROR\",\"msg\":\"msg \\\"é\\\"\\n/\",\"ctx\":{\"class\":\"A::B\",\"jid\":\"j1\",\"bid\":\"b1\",\"tags\":[\"x\",\"y z\",null,3,[1,2.5]],\"elapsed\":0.12}}\n"),
    (7, Json, 3, "{\"ts\":\"2025-01-01T00:00:00.123Z\",\"pid\":42,\"tid\":\"1abc\",\"lvl\":\"FATAL\",\"msg\":\"msg \\\"é\\\"\\n/\",\"ctx\":{\"class\":\"A\",\"jid\":null,\"bid\":null,\"tags\":[]}}\n"),
    (7, Json, 4, "{\"ts\":\"2025-01-01T00:00:00.123Z\",\"pid\":42,\"tid\":\"1abc\",\"lvl\":\"DEBUG\",\"msg\":\"msg \\\"é\\\"\\n/\",\"ctx\":{\"class\":\"A\",\"jid\":\"j\",\"bid\":12,\"tags\":\"t\",\"elapsed\":0.0}}\n"),
    (7, Json, 5, "{\"ts\":\"2025-01-01T00:00:00.123Z\",\"pid\":42,\"tid\":\"1abc\",\"lvl\":\"ANY\",\"msg\":\"msg \\\"é\\\"\\n/\",\"ctx\":{\"class\":\"A\",\"jid\":\"j\\\"é\u{2028}\",\"bid\":12.5,\"tags\":[true,false],\"elapsed\":12.0}}\n"),
    (8, Pretty, 0, "\x1b[1;34mINFO \x1b[0m 2025-01-01T00:00:00.123Z pid=42 tid=1abc: msg \"é\"\n/\n"),
    (8, Pretty, 1, "\x1b[1;33mWARN \x1b[0m 2025-01-01T00:00:00.123Z pid=42 tid=1abc jid=j1 class=A::B: msg \"é\"\n/\n"),
    (8, Pretty, 2, "\x1b[1;31mERROR\x1b[0m 2025-01-01T00:00:00.123Z pid=42 tid=1abc jid=j1 class=A::B bid=b1 tags=x,y z,,3,1,2.5 elapsed=0.12: msg \"é\"\n/\n"),
    (8, Pretty, 3, "\x1b[1;35mFATAL\x1b[0m 2025-01-01T00:00:00.123Z pid=42 tid=1abc jid= class=A bid= tags=: msg \"é\"\n/\n"),
    (8, Pretty, 4, "\x1b[1;32mDEBUG\x1b[0m 2025-01-01T00:00:00.123Z pid=42 tid=1abc jid=j class=A bid=12 tags=t elapsed=0.0: msg \"é\"\n/\n"),
    (8, Pretty, 5, " 2025-01-01T00:00:00.123Z pid=42 tid=1abc jid=j\"é\u{2028} class=A bid=12.5 tags=true,false elapsed=12.0: msg \"é\"\n/\n"),
    (8, Plain, 0, "INFO 2025-01-01T00:00:00.123Z pid=42 tid=1abc: msg \"é\"\n/\n"),
    (8, Plain, 1, "WARN 2025-01-01T00:00:00.123Z pid=42 tid=1abc jid=j1 class=A::B: msg \"é\"\n/\n"),
    (8, Plain, 2, "ERROR 2025-01-01T00:00:00.123Z pid=42 tid=1abc jid=j1 class=A::B bid=b1 tags=x,y z,,3,1,2.5 elapsed=0.12: msg \"é\"\n/\n"),
    (8, Plain, 3, "FATAL 2025-01-01T00:00:00.123Z pid=42 tid=1abc jid= class=A bid= tags=: msg \"é\"\n/\n"),
    (8, Plain, 4, "DEBUG 2025-01-01T00:00:00.123Z pid=42 tid=1abc jid=j class=A bid=12 tags=t elapsed=0.0: msg \"é\"\n/\n"),
    (8, Plain, 5, "ANY 2025-01-01T00:00:00.123Z pid=42 tid=1abc jid=j\"é\u{2028} class=A bid=12.5 tags=true,false elapsed=12.0: msg \"é\"\n/\n"),
    (8, WithoutTimestamp, 0, "\x1b[1;34mINFO \x1b[0m pid=42 tid=1abc: msg \"é\"\n/\n"),
    (8, WithoutTimestamp, 1, "\x1b[1;33mWARN \x1b[0m pid=42 tid=1abc jid=j1 class=A::B: msg \"é\"\n/\n"),
    (8, WithoutTimestamp, 2, "\x1b[1;31mERROR\x1b[0m pid=42 tid=1abc jid=j1 class=A::B bid=b1 tags=x,y z,,3,1,2.5 elapsed=0.12: msg \"é\"\n/\n"),
    (8, WithoutTimestamp, 3, "\x1b[1;35mFATAL\x1b[0m pid=42 tid=1abc jid= class=A bid= tags=: msg \"é\"\n/\n"),
    (8, WithoutTimestamp, 4, "\x1b[1;32mDEBUG\x1b[0m pid=42 tid=1abc jid=j class=A bid=12 tags=t elapsed=0.0: msg \"é\"\n/\n"),
    (8, WithoutTimestamp, 5, " pid=42 tid=1abc jid=j\"é\u{2028} class=A bid=12.5 tags=true,false elapsed=12.0: msg \"é\"\n/\n"),
    (8, Json, 0, "{\"ts\":\"2025-01-01T00:00:00.123Z\",\"pid\":42,\"tid\":\"1abc\",\"lvl\":\"INFO\",\"msg\":\"msg \\\"é\\\"\\n/\"}\n"),
    (8, Json, 1, "{\"ts\":\"2025-01-01T00:00:00.123Z\",\"pid\":42,\"tid\":\"1abc\",\"lvl\":\"WARN\",\"msg\":\"msg \\\"é\\\"\\n/\",\"ctx\":{\"jid\":\"j1\",\"class\":\"A::B\"}}\n"),
    (8, Json, 2, "{\"ts\":\"2025-01-01T00:00:00.123Z\",\"pid\":42,\"tid\":\"1abc\",\"lvl\":\"ERROR\",\"msg\":\"msg \\\"é\\\"\\n/\",\"ctx\":{\"jid\":\"j1\",\"class\":\"A::B\",\"bid\":\"b1\",\"tags\":[\"x\",\"y z\",null,3,[1,2.5]],\"elapsed\":0.12}}\n"),
    (8, Json, 3, "{\"ts\":\"2025-01-01T00:00:00.123Z\",\"pid\":42,\"tid\":\"1abc\",\"lvl\":\"FATAL\",\"msg\":\"msg \\\"é\\\"\\n/\",\"ctx\":{\"jid\":null,\"class\":\"A\",\"bid\":null,\"tags\":[]}}\n"),
    (8, Json, 4, "{\"ts\":\"2025-01-01T00:00:00.123Z\",\"pid\":42,\"tid\":\"1abc\",\"lvl\":\"DEBUG\",\"msg\":\"msg \\\"é\\\"\\n/\",\"ctx\":{\"jid\":\"j\",\"class\":\"A\",\"bid\":12,\"tags\":\"t\",\"elapsed\":0.0}}\n"),
    (8, Json, 5, "{\"ts\":\"2025-01-01T00:00:00.123Z\",\"pid\":42,\"tid\":\"1abc\",\"lvl\":\"ANY\",\"msg\":\"msg \\\"é\\\"\\n/\",\"ctx\":{\"jid\":\"j\\\"é\u{2028}\",\"class\":\"A\",\"bid\":12.5,\"tags\":[true,false],\"elapsed\":12.0}}\n"),
];

const LEVELS: [Level; 6] = [
    Level::Info,
    Level::Warn,
    Level::Error,
    Level::Fatal,
    Level::Debug,
    Level::Unknown,
];

fn context(case: usize) -> Context<'static> {
    match case {
        0 => Context::default(),
        1 => Context {
            jid: Some("j1"),
            class: Some("A::B"),
            ..Context::default()
        },
        2 => Context {
            jid: Some("j1"),
            class: Some("A::B"),
            bid: Some(br#""b1""#),
            tags: Some(b"[\"x\", \"y z\",\nnull,3,[1,2.5]]"),
            elapsed: Some(0.120_4),
        },
        3 => Context {
            class: Some("A"),
            bid: Some(b"null"),
            tags: Some(b"[]"),
            ..Context::default()
        },
        4 => Context {
            jid: Some("j"),
            class: Some("A"),
            bid: Some(b"12"),
            tags: Some(br#""t""#),
            elapsed: Some(0.0),
        },
        _ => Context {
            jid: Some("j\"é\u{2028}"),
            class: Some("A"),
            bid: Some(b"12.5"),
            tags: Some(b"[true,false]"),
            elapsed: Some(12.0),
        },
    }
}

fn line(version: SidekiqVersion, style: Style, case: usize) -> String {
    let mut out = Vec::new();
    let line = Line {
        version,
        style,
        pid: "42",
        tid: "1abc",
    };
    line.format(
        &mut out,
        LEVELS[case],
        &context(case),
        "msg \"é\"\n/",
        &Utc::at(1_735_689_600.123_999).iso8601(),
    );
    String::from_utf8(out).unwrap()
}

fn version(major: u16) -> SidekiqVersion {
    match major {
        6 => SidekiqVersion::new(6, 4, 1),
        7 => SidekiqVersion::new(7, 3, 2),
        _ => SidekiqVersion::new(8, 1, 7),
    }
}

#[test]
fn lines_are_the_gems() {
    assert_eq!(GOLDEN.len(), 60);
    for &(major, style, case, golden) in GOLDEN {
        assert_eq!(
            line(version(major), style, case),
            golden,
            "{major} {style:?} {case}"
        );
    }
}

#[test]
fn plain_before_8_is_pretty() {
    for case in 0..6 {
        assert_eq!(
            line(version(7), Plain, case),
            line(version(7), Pretty, case)
        );
    }
}

#[test]
fn odd_fields_do_not_break_the_line() {
    let context = Context {
        jid: Some("j"),
        class: Some("A"),
        bid: Some(b"{\"a\":\n \"b\\\" c\"}"),
        tags: Some(b"[1,{\"x\": \"\xff\"}]"),
        elapsed: Some(f64::NAN),
    };
    for style in [Pretty, Plain, WithoutTimestamp, Json] {
        let mut out = Vec::new();
        Line {
            version: version(8),
            style,
            pid: "1",
            tid: "t",
        }
        .format(&mut out, Level::Info, &context, "start", "now");
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains(r#"{"a":"b\" c"}"#), "{text}");
    }
}
