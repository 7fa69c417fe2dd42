//! A borrowed view of a payload, as byte spans into it, so that reading a job allocates nothing.

use std::ops::Range;

use super::scan::{Text, members};

/// The payload's `retry` field as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// No such field, or `null`.
    Absent,
    /// `true` or `false`.
    Flag(bool),
    /// A number of retries.
    Count(i64),
    /// Anything else: truthy to Ruby, not a number.
    Other,
}

impl Retry {
    /// Reads the field from its JSON; an integer beyond `i64` saturates.
    pub(crate) fn from_json(json: &[u8]) -> Self {
        match json {
            b"null" => Self::Absent,
            b"true" => Self::Flag(true),
            b"false" => Self::Flag(false),
            [b'-' | b'0'..=b'9', rest @ ..] if rest.iter().all(u8::is_ascii_digit) => {
                let text = std::str::from_utf8(json).unwrap_or_default();
                let limit = if json.starts_with(b"-") {
                    i64::MIN
                } else {
                    i64::MAX
                };
                Self::Count(text.parse().unwrap_or(limit))
            }
            _ => Self::Other,
        }
    }
}

/// Where the fields that every job needs lie in its payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// `class`, without quotes. A name with JSON escapes makes the envelope unreadable.
    pub class: Range<u32>,
    /// `wrapped`, without quotes: the Active Job class. `null` counts as absent.
    pub wrapped: Option<Range<u32>>,
    /// `jid`, without quotes. `null` counts as absent.
    pub jid: Option<Range<u32>>,
    /// `args`, brackets included.
    pub args: Range<u32>,
    /// `bid` as raw JSON (`null` included), for the log context.
    pub bid: Option<Range<u32>>,
    /// `tags` as raw JSON. See `bid`.
    pub tags: Option<Range<u32>>,
    /// `retry`.
    pub retry: Retry,
    /// Whether a field asks for more than `perform` (`log_level`, `profile`, `display_class`,
    /// `encrypt`), whatever its value: such a job takes the path through Ruby.
    pub special: bool,
}

impl Envelope {
    /// Reads `payload`. `None` when it is not an object that this reader understands exactly as
    /// `JSON.parse` would: then Ruby's own parser has the last word. Versions of the json gem
    /// differ, so everything on which they do is left to them: comments, odd escapes, lone
    /// surrogates, invalid UTF-8, duplicate names in the payload's own object (json 3 raises; a
    /// builder of nested objects must watch for them itself).
    pub fn read(payload: &[u8]) -> Option<Self> {
        if payload.len() > u32::MAX as usize || std::str::from_utf8(payload).is_err() {
            return None;
        }
        let mut fields = Fields::default();
        members::<true>(payload, |key, value| fields.take(payload, key, value))?;
        Some(Self {
            class: fields.class?,
            wrapped: fields.wrapped,
            jid: fields.jid,
            args: fields.args?,
            bid: fields.bid,
            tags: fields.tags,
            retry: fields.retry.unwrap_or(Retry::Absent),
            special: fields.special,
        })
    }
}

#[derive(Default)]
struct Fields {
    class: Option<Range<u32>>,
    wrapped: Option<Range<u32>>,
    jid: Option<Range<u32>>,
    args: Option<Range<u32>>,
    bid: Option<Range<u32>>,
    tags: Option<Range<u32>>,
    retry: Option<Retry>,
    special: bool,
    names: Names,
}

impl Fields {
    #[inline]
    fn take(&mut self, payload: &[u8], key: &Text, value: Range<usize>) -> Option<()> {
        if key.escaped || !self.names.add(payload, &key.inside) {
            return None;
        }
        match &payload[key.inside.clone()] {
            b"class" => self.class = Some(name(payload, value)??),
            b"wrapped" => self.wrapped = name(payload, value)?,
            b"jid" => self.jid = name(payload, value)?,
            b"args" if payload[value.start] == b'[' => self.args = Some(span(value)),
            b"args" => return None,
            b"bid" => self.bid = Some(span(value)),
            b"tags" => self.tags = Some(span(value)),
            b"retry" => self.retry = Some(Retry::from_json(&payload[value])),
            b"log_level" | b"profile" | b"display_class" | b"encrypt" => self.special = true,
            _ => {}
        }
        Some(())
    }
}

/// The names seen so far, to refuse a second one. Nothing is compared unless length and ends agree.
struct Names {
    seen: [(u32, u32); Self::ROOM],
    count: usize,
    filter: u64,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            seen: [(0, 0); Self::ROOM],
            count: 0,
            filter: 0,
        }
    }
}

impl Names {
    /// A payload with more fields is rare enough to be Ruby's.
    const ROOM: usize = 32;

    #[inline]
    fn add(&mut self, payload: &[u8], key: &Range<usize>) -> bool {
        let name = &payload[key.clone()];
        let ends = match name {
            [] => 0,
            [first, .., last] => usize::from(*first) * 5 + usize::from(*last),
            [only] => usize::from(*only),
        };
        let bit = 1u64 << ((ends + name.len() * 11) & 63);
        if self.filter & bit != 0 {
            let known = &self.seen[..self.count];
            if known
                .iter()
                .any(|&(start, end)| payload[start as usize..end as usize] == *name)
            {
                return false;
            }
        }
        let Some(slot) = self.seen.get_mut(self.count) else {
            return false;
        };
        *slot = (key.start as u32, key.end as u32);
        self.count += 1;
        self.filter |= bit;
        true
    }
}

#[inline]
fn span(range: Range<usize>) -> Range<u32> {
    range.start as u32..range.end as u32
}

/// A string without escapes, or `Some(None)` for `null`; anything else is not ours to judge.
#[inline]
#[expect(
    clippy::option_option,
    reason = "unreadable, null and a name are three answers"
)]
fn name(payload: &[u8], value: Range<usize>) -> Option<Option<Range<u32>>> {
    match &payload[value.clone()] {
        b"null" => Some(None),
        [b'"', inside @ .., b'"'] if !inside.contains(&b'\\') => {
            Some(Some(span(value.start + 1..value.end - 1)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
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
        prop_assert_eq!(
            ["log_level", "profile", "display_class", "encrypt"]
                .iter()
                .any(|f| value.get(f).is_some()),
            read.special
        );
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
}
