//! Adds or replaces top-level fields of a payload and leaves every other byte as it was.

use std::borrow::Cow;
use std::ops::Range;

use super::scan::{Text, members};
use super::text::json_string;

/// A field to write: its name and its value as JSON.
pub type Field<'a> = (&'a str, &'a [u8]);

/// Why a payload could not be patched.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the payload is not a JSON object")]
pub struct PatchError;

/// Returns `payload` with each of `fields` replaced where it stands or appended in order.
/// Of a name that occurs twice the last one counts, as for `JSON.parse`; a name written with
/// escapes is the same name. Accepts what any json gem accepts (comments, odd escapes, invalid
/// UTF-8), since such a payload has been through `JSON.parse` already. Values are not checked.
pub fn patch(payload: &[u8], fields: &[Field<'_>]) -> Result<Vec<u8>, PatchError> {
    let mut found: Vec<Option<Range<usize>>> = vec![None; fields.len()];
    let (insert, after_member) = visit(payload, |name, value| {
        if let Some(index) = fields
            .iter()
            .position(|(field, _)| field.as_bytes() == name)
        {
            found[index] = Some(value);
        }
    })?;

    let mut edits: Vec<(Range<usize>, &[u8])> = Vec::with_capacity(fields.len());
    let mut added = Vec::new();
    for (index, (name, _)) in fields.iter().enumerate() {
        if fields[..index].iter().any(|(earlier, _)| earlier == name) {
            continue;
        }
        // As in a Ruby hash, a field that occurs twice has its first place and its last value.
        let value = fields[index..]
            .iter()
            .rev()
            .find(|(later, _)| later == name)
            .map_or(&b"null"[..], |field| field.1);
        if let Some(place) = found[index].take() {
            edits.push((place, value));
            continue;
        }
        if after_member || !added.is_empty() {
            added.push(b',');
        }
        json_string(&mut added, name);
        added.push(b':');
        added.extend_from_slice(value);
    }
    edits.sort_by_key(|(place, _)| place.start);
    edits.push((insert..insert, &added));

    let mut out =
        Vec::with_capacity(payload.len() + edits.iter().map(|edit| edit.1.len()).sum::<usize>());
    let mut copied = 0;
    for (place, bytes) in edits {
        out.extend_from_slice(&payload[copied..place.start]);
        out.extend_from_slice(bytes);
        copied = place.end;
    }
    out.extend_from_slice(&payload[copied..]);
    Ok(out)
}

/// Calls `each` with the decoded name and the value's position, for every top-level member.
pub(crate) fn visit(
    payload: &[u8],
    mut each: impl FnMut(&[u8], Range<usize>),
) -> Result<(usize, bool), PatchError> {
    members::<false>(payload, |key: &Text, value| {
        let raw = &payload[key.inside.clone()];
        let name = if key.escaped {
            Cow::Owned(unescape(raw))
        } else {
            Cow::Borrowed(raw)
        };
        each(&name, value);
        Some(())
    })
    .ok_or(PatchError)
}

/// The bytes that a JSON string stands for, given what is between its quotes. A lone surrogate
/// becomes U+FFFD.
pub(crate) fn unescape(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let Some((&kind, after)) = rest.split_first() else {
            break;
        };
        rest = after;
        match kind {
            b'u' => {
                let unit = hex4(rest);
                rest = rest.get(4..).unwrap_or_default();
                let low = rest
                    .strip_prefix(b"\\u")
                    .map(hex4)
                    .filter(|low| (0xdc00..0xe000).contains(low));
                let code = match (unit, low) {
                    (0xd800..0xdc00, Some(low)) => {
                        rest = rest.get(6..).unwrap_or_default();
                        0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00)
                    }
                    _ => unit,
                };
                let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            b'b' => out.push(0x08),
            b'f' => out.push(0x0c),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            other => out.push(other),
        }
    }
    out
}

fn hex4(digits: &[u8]) -> u32 {
    digits.iter().take(4).fold(0, |unit, &digit| {
        unit << 4 | char::from(digit).to_digit(16).unwrap_or(0)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use serde_json::{Map, Value};

    use super::*;

    fn patched(payload: &str, fields: &[Field<'_>]) -> String {
        String::from_utf8(patch(payload.as_bytes(), fields).unwrap()).unwrap()
    }

    #[test]
    fn appends_and_replaces_in_place() {
        assert_eq!(
            patched("{}", &[("a", b"1"), ("b", b"2")]),
            r#"{"a":1,"b":2}"#
        );
        assert_eq!(patched(" { } ", &[("a", b"1")]), r#" {"a":1 } "#);
        assert_eq!(patched("{}", &[]), "{}");
        assert_eq!(
            patched(r#"{ "a" : 1.50 , "b":[ 1 ] }"#, &[("b", b"2"), ("c", b"3")]),
            r#"{ "a" : 1.50 , "b":2,"c":3 }"#
        );
        assert_eq!(
            patched(r#"{"b":1,"a":2}"#, &[("a", b"x"), ("b", b"y")]),
            r#"{"b":y,"a":x}"#
        );
        assert_eq!(
            patched("{}", &[("a", b"1"), ("b", b"2"), ("a", b"3")]),
            r#"{"a":3,"b":2}"#
        );
    }

    #[test]
    fn knows_a_name_by_its_meaning() {
        assert_eq!(
            patched(r#"{"retry\u005fcount":1}"#, &[("retry_count", b"2")]),
            r#"{"retry\u005fcount":2}"#
        );
        assert_eq!(
            patched(r#"{"a":1,"a":2}"#, &[("a", b"3")]),
            r#"{"a":1,"a":3}"#
        );
        assert_eq!(
            patched(r#"{"x":{"a":1}}"#, &[("a", b"3")]),
            r#"{"x":{"a":1},"a":3}"#
        );
        assert_eq!(
            patched(r#"{"\ud83d\ude00":1}"#, &[("😀", b"2")]),
            r#"{"\ud83d\ude00":2}"#
        );
    }

    #[test]
    fn keeps_what_only_some_parsers_read() {
        let payload = b"{\"a\":\"\xff\\q\",/* , */\"b\":1}// end";
        assert_eq!(
            patch(payload, &[("b", b"2")]).unwrap(),
            b"{\"a\":\"\xff\\q\",/* , */\"b\":2}// end"
        );
    }

    #[test]
    fn refuses_what_is_no_object() {
        for payload in [
            "",
            "[]",
            "5",
            "null",
            "{",
            "{\"a\"}",
            "{\"a\":1,}",
            "{} x",
            "{\"a\":01}",
            "{\"a\":1 \"b\":2}",
            "/",
            "{}/*",
        ] {
            assert_eq!(
                patch(payload.as_bytes(), &[("a", b"1")]),
                Err(PatchError),
                "{payload}"
            );
        }
    }

    fn object() -> impl Strategy<Value = Map<String, Value>> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            prop::collection::vec(any::<String>(), 0..4).prop_map(Value::from),
            Just(serde_json::json!({"retry_count": [1, {"a": "}"}]})),
        ];
        let name = prop_oneof![any::<String>(), "[a-f]"];
        prop::collection::vec((name, leaf), 0..8).prop_map(|members| members.into_iter().collect())
    }

    proptest! {
        #[test]
        fn equals_merging(payload in object(), fields in object()) {
            let written: Vec<(String, String)> = fields.iter().map(|(k, v)| (k.clone(), v.to_string())).collect();
            let borrowed: Vec<Field<'_>> = written.iter().map(|(k, v)| (k.as_str(), v.as_bytes())).collect();
            let before = Value::Object(payload.clone()).to_string();
            let after = patch(before.as_bytes(), &borrowed).unwrap();
            let mut merged = payload.clone();
            merged.extend(fields.clone());
            prop_assert_eq!(serde_json::from_slice::<Value>(&after).unwrap(), Value::Object(merged));
            for (name, value) in &payload {
                if !fields.contains_key(name) {
                    let member = format!("{}:{value}", Value::from(name.clone()));
                    prop_assert!(String::from_utf8_lossy(&after).contains(&member));
                }
            }
        }

        #[test]
        fn never_panics(payload in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = patch(&payload, &[("a", b"1")]);
        }

        #[test]
        fn never_panics_on_near_json(pieces in prop::collection::vec(prop::sample::select(vec!["{", "}", "\"", "\\", "\\u", "\\ud83d", "/*", "*/", "//", "/", ":", ",", "1", "[", "]", "\"a\""]), 0..16)) {
            let _ = patch(format!("{{{}", pieces.concat()).as_bytes(), &[("a", b"1")]);
        }
    }
}
