//! A job while the engine holds it: its bytes, where they came from, the few fields that were read from
//! them, and its outcome. Knows no Redis, no Ruby and no dialect; nothing here does IO.

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

/// Jobs that were claimed together and are one field of the in-flight table until one of them has to be
/// settled on its own. Their tokens count up from the first.
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
    /// Its number in the in-flight table.
    pub token: Token,
    /// The parcel of which it is a part in that table, if it was claimed in one.
    pub parcel: Option<Parcel>,
    /// The lease under which it was claimed, and under whose holder it is settled.
    pub epoch: u32,
    /// The queue it was claimed from; it goes back there when returned.
    pub queue: Arc<Queue>,
    /// The bytes exactly as they were in the queue.
    pub payload: Box<[u8]>,
    /// What was read from the payload, or `None` when only Ruby's parser can read it.
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

    /// The class to show and to measure by; of an Active Job the wrapped one. `None` when only Ruby can
    /// read the payload.
    pub fn display_class(&self) -> Option<&str> {
        let envelope = self.envelope.as_ref()?;
        let shown = envelope.wrapped.as_ref().unwrap_or(&envelope.class);
        self.text(Some(shown))
    }
}
