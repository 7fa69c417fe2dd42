//! What a dialect wants written: data, which the store carries out together with the removal of the job (writes.lua).

use crate::job::End;

/// The bytes of a job on their way to another place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Exactly as they stood where it is removed from.
    AsClaimed,
    /// These.
    Changed(Vec<u8>),
}

/// Where a job goes that is not forgotten. The job leaves its old place only once it is there.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// A sorted set.
    Sorted {
        /// Its full key.
        key: String,
        /// Mostly seconds since the epoch.
        score: f64,
        /// What is stored.
        body: Body,
    },
    /// A list.
    List {
        /// Its full key.
        key: String,
        /// Where it goes on.
        end: End,
        /// What is stored.
        body: Body,
    },
}

/// What is written besides. Whatever fails of it does not keep the job.
#[derive(Clone, Debug, PartialEq)]
pub enum Note {
    /// A counter goes up.
    Count {
        /// Its full key.
        key: String,
        /// By how much.
        by: i64,
        /// How long it lives from now on, in seconds; for ever without.
        expiry: Option<u32>,
    },
    /// A name becomes a member of a set.
    Member {
        /// Its full key.
        key: String,
        /// The name.
        member: String,
    },
    /// The job is noted in a list as well, of which only so many are kept.
    Entry {
        /// Its full key. The newest are at its left end.
        key: String,
        /// What is noted.
        body: Body,
        /// The most entries.
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
    /// A smaller score is dropped.
    pub oldest: f64,
    /// One fewer than this survives, as in Sidekiq; none where it is 0.
    pub most: u64,
}

/// What is written when a job leaves the place where it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Writes {
    /// Where it goes; `None` if it is forgotten.
    pub place: Option<Place>,
    /// What else.
    pub notes: Vec<Note>,
}

/// What the store must know of a dialect to put jobs back whose queues this process may not serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// What the keys of its queues begin with; the bare name follows.
    pub prefix: String,
    /// Where their next job is.
    pub pop: End,
    /// The set in which the bare names are registered.
    pub registry: String,
}
