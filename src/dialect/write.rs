//! What a dialect wants written, as data: the store carries it out together with the removal of the job (writes.lua).

use crate::job::End;

/// The bytes of a job on their way to another place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Exactly as they are in the place from which it is removed.
    AsClaimed,
    /// These.
    Changed(Vec<u8>),
}

/// Where a job goes that is kept. It leaves its old place only once it is there.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// A sorted set.
    Sorted {
        /// Its full key.
        key: String,
        /// Its score, mostly seconds since the epoch.
        score: f64,
        /// What is stored.
        body: Body,
    },
    /// A list.
    List {
        /// Its full key.
        key: String,
        /// The end to which it is pushed.
        end: End,
        /// What is stored.
        body: Body,
    },
}

/// What else is written. If it fails, the job leaves its place all the same.
#[derive(Clone, Debug, PartialEq)]
pub enum Note {
    /// A counter goes up.
    Count {
        /// Its full key.
        key: String,
        /// By how much.
        by: i64,
        /// How long it lives from now on, in seconds; `None` for ever.
        expiry: Option<u32>,
    },
    /// A name becomes a member of a set.
    Member {
        /// Its full key.
        key: String,
        /// The name.
        member: String,
    },
    /// An entry is added to a list that is cut to a certain length.
    Entry {
        /// Its full key. The newest are at its left end.
        key: String,
        /// The entry.
        body: Body,
        /// How many entries are kept.
        keep: u32,
    },
    /// A sorted set of dead jobs is trimmed.
    Trim(Trim),
    /// A key is deleted.
    Delete {
        /// Its full name.
        key: String,
    },
}

/// What a sorted set of dead jobs keeps.
#[derive(Clone, Debug, PartialEq)]
pub struct Trim {
    /// Its full key.
    pub key: String,
    /// Members with a smaller score are dropped.
    pub oldest: f64,
    /// One member fewer than this survives, as in Sidekiq; none if it is 0.
    pub most: u64,
}

/// What is written when a job leaves its place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Writes {
    /// Where it goes; `None` if it is not kept.
    pub place: Option<Place>,
    /// What else is written.
    pub notes: Vec<Note>,
}

/// What the store must know of a dialect to put jobs back into queues that this process does not serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// What the keys of its queues begin with; the bare name follows.
    pub prefix: String,
    /// The end from which they are popped.
    pub pop: End,
    /// The set in which the bare names are registered.
    pub registry: String,
}
