//! What an application's Redis looks like: key names, from which end a queue is popped, how a payload is read and
//! patched, what is written when a job ends. Pure: no IO, no Ruby, no clock and no randomness of its own (both are
//! passed in).
//!
//! [`Dialect`] is all that the rest of the engine sees. A second dialect would be a folder beside `sidekiq`, a variant
//! here and an arm in each `match`.

mod namespace;
mod sidekiq;
mod write;

pub use namespace::Namespace;
pub use sidekiq::{
    Backtrace, CapsuleFacts, Context, DeadLimits, Failing, Keys, Level, Line, Malformed, Measured,
    Metrics, MetricsWrite, Mode, Plan, ProcessFacts, Raised, Sidekiq, SidekiqVersion, Style,
    UnknownVersion, Utc, Verdict, Vitals, millis,
};
pub use write::{Body, Family, Note, Place, Trim, Writes};

use crate::job::{Job, Outcome, PatchError, Queue};

/// One of the layouts that a process serves.
#[derive(Clone, Debug)]
pub enum Dialect {
    /// Sidekiq's, versions 6.4 to 8.1.
    Sidekiq(Sidekiq),
}

/// A due job, ready for its queue.
#[derive(Debug, PartialEq)]
pub struct Promotion {
    /// The bare name of the queue.
    pub queue: String,
    /// What to push.
    pub payload: Vec<u8>,
}

/// The keys by which a process shows itself and receives commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// Set of the identities of running processes.
    pub processes: String,
    /// Hash that the process renews with every heartbeat.
    pub process: String,
    /// Hashes of the jobs that it runs.
    pub work: [String; 2],
    /// List of commands that others leave for it.
    pub signals: String,
    /// Lock for taking dead processes off the list.
    pub cleanup: String,
}

impl Dialect {
    /// The queue of this bare name; `index` is this dialect's index in the process.
    pub fn queue(&self, index: usize, name: &str) -> Queue {
        match self {
            Self::Sidekiq(it) => it.queue(index, name),
        }
    }

    /// What recovery needs to put jobs back.
    pub fn family(&self) -> Family {
        match self {
            Self::Sidekiq(it) => it.family(),
        }
    }

    /// The set of paused queues.
    pub fn paused(&self) -> String {
        match self {
            Self::Sidekiq(it) => it.keys.paused(),
        }
    }

    /// Sorted sets of jobs that wait for their time.
    pub fn due_sets(&self) -> Vec<String> {
        match self {
            Self::Sidekiq(it) => vec![it.keys.schedule(), it.keys.retry()],
        }
    }

    /// Prefixes of the keys whose changes this process wants announced.
    pub fn watched(&self) -> Vec<String> {
        match self {
            Self::Sidekiq(it) => it.watched(),
        }
    }

    /// The counters that a successful job moves, if nothing else is written for it.
    pub fn success(&self, now: f64) -> Vec<Note> {
        match self {
            Self::Sidekiq(it) => it.success(now),
        }
    }

    /// What is written for a job that ended. `now` is in seconds since the epoch.
    pub fn settle(&self, outcome: &Outcome, queue: &Queue, now: f64) -> Writes {
        match self {
            Self::Sidekiq(it) => it.settle(outcome, queue, now),
        }
    }

    /// What is written for a job that was running when its process died, `times` times.
    pub fn poisoned(&self, payload: &[u8], times: u32, now: f64) -> Writes {
        match self {
            Self::Sidekiq(it) => it.poisoned(payload, times, now),
        }
    }

    /// What is written for a due member that cannot be read.
    pub fn bury(&self, now: f64) -> Writes {
        match self {
            Self::Sidekiq(it) => it.bury(Body::AsClaimed, now),
        }
    }

    /// What is written for a due job that goes to the back of `queue`.
    pub fn push(&self, queue: &Queue, payload: Vec<u8>) -> Writes {
        match self {
            Self::Sidekiq(it) => it.push(queue, payload),
        }
    }

    /// Prepares a due member for its queue, if no client middleware is to see it. `jid` makes an id for a job without
    /// one.
    ///
    /// # Errors
    /// When it is not a job.
    pub fn promote(
        &self,
        member: &[u8],
        now: f64,
        jid: impl FnOnce() -> String,
    ) -> Result<Promotion, Malformed> {
        match self {
            Self::Sidekiq(it) => it.promote(member, now, jid),
        }
    }

    /// A failed job, claimed from the queue of this bare name, before its failure is recorded.
    ///
    /// # Errors
    /// When the payload is not an object.
    pub fn failing<'a>(&self, payload: &'a [u8], queue: &str) -> Result<Failing<'a>, PatchError> {
        match self {
            Self::Sidekiq(it) => it.failing(payload, queue),
        }
    }

    /// How the set of dead jobs is trimmed at `now`.
    pub fn trim(&self, now: f64) -> Trim {
        match self {
            Self::Sidekiq(it) => it.trim(now),
        }
    }

    /// The keys by which the process of this identity shows itself.
    pub fn presence(&self, identity: &str) -> Presence {
        match self {
            Self::Sidekiq(it) => it.presence(identity),
        }
    }

    /// The fields of the process's hash, from what never changes while it lives, and what does.
    pub fn process_fields(&self, facts: &ProcessFacts, vitals: &Vitals) -> Vec<(String, String)> {
        match self {
            Self::Sidekiq(_) => {
                let fields = vitals.fields(&facts.info());
                fields.map(|(name, value)| (name.to_owned(), value)).into()
            }
        }
    }

    /// An empty collection of execution metrics.
    pub fn metrics(&self) -> Metrics {
        match self {
            Self::Sidekiq(it) => Metrics::new(it.version, it.keys.clone()),
        }
    }

    /// The queues that a process says it serves.
    pub fn served_queues(&self, info: &[u8]) -> Vec<String> {
        match self {
            Self::Sidekiq(_) => sidekiq::served_queues(info),
        }
    }

    /// How many bytes of each running payload may be shown, given the lengths of all of them.
    pub fn shown_bytes(&self, lengths: impl Iterator<Item = usize> + Clone) -> usize {
        match self {
            Self::Sidekiq(_) => sidekiq::shown_bytes(lengths),
        }
    }

    /// A running job as dashboards see it; at most about `most` bytes of its payload.
    pub fn work_entry(&self, job: &Job, most: usize, run_at: i64) -> String {
        match self {
            Self::Sidekiq(_) => sidekiq::work_entry(job, most, run_at),
        }
    }

    /// One key of every kind that a process uses, except for its queues.
    pub fn samples(&self, identity: &str) -> Vec<String> {
        match self {
            Self::Sidekiq(it) => it.keys.samples(identity, it.version),
        }
    }

    /// Keys that all processes share, and the type of each, as `TYPE` names it.
    pub fn types(&self) -> Vec<(String, &'static str)> {
        match self {
            Self::Sidekiq(it) => it.keys.types().into(),
        }
    }
}
