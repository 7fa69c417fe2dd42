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
    /// Reads the field from its JSON; an integer beyond `i64` is cut to its limits.
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
    /// Whether a field asks for more than `perform` (`log_level`, `profile`, `display_class`, `encrypt`),
    /// whatever its value, or some text in it may have to be written differently in the log: such a job
    /// takes the path through Ruby.
    pub special: bool,
}

impl Envelope {
    /// Reads `payload`. `None` if it is not an object that this reader understands exactly as
    /// `JSON.parse` would: then Ruby's own parser has the last word. Everything on which versions of
    /// the json gem differ is left to it: comments, odd escapes, lone surrogates, invalid UTF-8,
    /// duplicate names in the payload's own object (json 3 raises; whoever builds nested objects must
    /// look for them itself).
    pub fn read(payload: &[u8]) -> Option<Self> {
        if payload.len() > u32::MAX as usize || std::str::from_utf8(payload).is_err() {
            return None;
        }
        let mut fields = Fields::default();
        members::<true>(payload, |key, value| fields.take(payload, key, value))?;
        let logged = [
            &fields.class,
            &fields.wrapped,
            &fields.jid,
            &fields.bid,
            &fields.tags,
        ];
        let special = fields.special
            || logged
                .into_iter()
                .flatten()
                .any(|it| may_hold_control(&payload[it.start as usize..it.end as usize]));
        Some(Self {
            class: fields.class?,
            wrapped: fields.wrapped,
            jid: fields.jid,
            args: fields.args?,
            bid: fields.bid,
            tags: fields.tags,
            retry: fields.retry.unwrap_or(Retry::Absent),
            special,
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

/// The names seen so far, to refuse duplicates. Nothing is compared unless length and ends agree.
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
    /// A payload with more fields is so rare that Ruby may read it.
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

/// Whether there may be a control character (or U+2028, U+2029), escaped or as it is. Few other characters
/// begin with these bytes. Never stops early, so that the compiler can process many bytes at once.
fn may_hold_control(json: &[u8]) -> bool {
    json.iter().fold(false, |found, byte| {
        found | matches!(byte, b'\\' | 0x7f | 0xc2 | 0xe2)
    })
}

#[inline]
fn span(range: Range<usize>) -> Range<u32> {
    range.start as u32..range.end as u32
}

/// A string without escapes, or `Some(None)` for `null`; anything else is left to Ruby.
#[inline]
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
#[path = "envelope_tests.rs"]
mod tests;
