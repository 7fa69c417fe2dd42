//! A borrowed view of a payload, as byte spans into it, so that reading a job allocates nothing.

use std::ops::Range;

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

/// Where the fields that every job needs lie in its payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// `class`, without quotes. A name with JSON escapes makes the envelope unreadable.
    pub class: Range<u32>,
    /// `wrapped`, without quotes: the Active Job class.
    pub wrapped: Option<Range<u32>>,
    /// `jid`, without quotes.
    pub jid: Option<Range<u32>>,
    /// `args`, brackets included.
    pub args: Range<u32>,
    /// `bid` and `tags` as raw JSON, for the log context.
    pub bid: Option<Range<u32>>,
    /// See `bid`.
    pub tags: Option<Range<u32>>,
    /// `retry`.
    pub retry: Retry,
    /// Whether a field asks for more than `perform` (`log_level`, `profile`, `display_class`,
    /// `encrypt`, …): such a job takes the path through Ruby.
    pub special: bool,
}

impl Envelope {
    /// Reads `payload`. `None` when it is not an object that this reader understands exactly as
    /// `JSON.parse` would: then Ruby's own parser has the last word.
    pub fn read(_payload: &[u8]) -> Option<Self> {
        None
    }
}
