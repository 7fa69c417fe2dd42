//! What a job is while the engine carries it: bytes, where they came from, and the few fields that
//! were read from them, and what became of it. Knows no Redis, no Ruby and no dialect; nothing here does IO.

use std::sync::Arc;

mod envelope;
mod outcome;
mod patch;
mod queue;
mod scan;
mod text;

pub use envelope::{Envelope, Retry};
pub use outcome::{Ended, Measure, Outcome};
pub use patch::{Field, PatchError, patch};
pub(crate) use patch::{unescape, visit};
pub use queue::{End, Queue};
#[cfg(feature = "ruby")]
pub(crate) use scan::plain_until;
pub use text::{json_string, ruby_float};

/// Names one claimed job in its holder's in-flight table; never used twice by one holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// Jobs that were claimed together and stand in the in-flight table as one entry while nothing is asked of
/// a single one of them. Their tokens count up from the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Parcel {
    /// The first job's token.
    pub first: Token,
    /// How many jobs.
    pub count: u32,
}

/// A job between its claim and its settlement.
#[derive(Debug)]
pub struct Job {
    /// Its name in the in-flight table.
    pub token: Token,
    /// What it is a part of in that table, if it was claimed so.
    pub parcel: Option<Parcel>,
    /// The lease under which it was claimed: a settlement under an older one does nothing.
    pub epoch: u32,
    /// The queue it was claimed from; it goes back there when returned.
    pub queue: Arc<Queue>,
    /// The bytes exactly as they stood in the queue.
    pub payload: Box<[u8]>,
    /// What was read from the payload, or `None` when it needs Ruby's parser to decide.
    pub envelope: Option<Envelope>,
}

impl Job {
    /// The bytes of `range` of the payload.
    pub fn span(&self, range: &std::ops::Range<u32>) -> &[u8] {
        self.payload
            .get(range.start as usize..range.end as usize)
            .unwrap_or_default()
    }

    /// As [`Self::span`], for what the envelope found to be text.
    pub fn text(&self, range: Option<&std::ops::Range<u32>>) -> Option<&str> {
        std::str::from_utf8(self.span(range?)).ok()
    }

    /// The class to show and to measure by: the wrapped one of an Active Job. `None` when only
    /// Ruby can read the payload.
    pub fn display_class(&self) -> Option<&str> {
        let envelope = self.envelope.as_ref()?;
        let shown = envelope.wrapped.as_ref().unwrap_or(&envelope.class);
        self.text(Some(shown))
    }
}
