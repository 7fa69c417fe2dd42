//! Sidekiq's layout, versions 6.4 to 8.1. Each file names the Sidekiq files whose behaviour it follows.

mod clock;
mod failure;
mod fields;
mod keys;
mod logline;
mod metrics;
mod registry;
mod schedule;
mod served;
mod settle;
mod version;
mod work;

pub use clock::{Utc, millis};
pub use failure::{Backtrace, Failing, Plan, Raised, Verdict};
pub use keys::Keys;
pub use logline::{Context, Level, Line, Style};
pub use metrics::{Measured, Metrics, MetricsWrite};
pub use registry::{CapsuleFacts, Mode, ProcessFacts, Vitals};
pub use schedule::Malformed;
pub(super) use served::served_queues;
pub use settle::DeadLimits;
use version::{Jitter, MetricsForm, RetryFor};
pub use version::{SidekiqVersion, UnknownVersion};
pub(super) use work::{shown_bytes, work_entry};

use self::failure::Policy;
use super::{Family, Presence, Promotion};
use crate::job::{End, PatchError, Queue};

/// Defaults for fields that a job lacks, as the gem's client adds them.
const DEFAULTS: [(&str, &[u8]); 2] = [("retry", b"true"), ("queue", b"\"default\"")];

/// Sidekiq as this application has it.
#[derive(Clone, Debug, Default)]
pub struct Sidekiq {
    /// Key names, under the application's namespace if it has one.
    pub keys: Keys,
    /// The version whose forms are written.
    pub version: SidekiqVersion,
    /// How often a job whose `retry` is `true` is retried.
    pub max_retries: i64,
    /// What the dead set keeps.
    pub dead: DeadLimits,
}

impl Sidekiq {
    pub(super) fn queue(&self, dialect: usize, name: &str) -> Queue {
        Queue {
            dialect,
            name: name.to_owned(),
            key: self.keys.queue(name),
            pop: End::Right,
            paused_as: name.to_owned(),
        }
    }

    pub(super) fn family(&self) -> Family {
        Family {
            prefix: self.keys.queue_prefix(),
            pop: End::Right,
            registry: self.keys.queues(),
        }
    }

    pub(super) fn watched(&self) -> Vec<String> {
        vec![
            self.keys.queue_prefix(),
            self.keys.schedule(),
            self.keys.retry(),
            self.keys.paused(),
        ]
    }

    pub(super) fn presence(&self, identity: &str) -> Presence {
        Presence {
            processes: self.keys.processes(),
            process: self.keys.process(identity),
            work: self.keys.work_of_all_versions(identity),
            signals: self.keys.signals(identity),
            cleanup: self.keys.process_cleanup(),
        }
    }

    pub(super) fn promote(
        &self,
        member: &[u8],
        now: f64,
        jid: impl FnOnce() -> String,
    ) -> Result<Promotion, Malformed> {
        schedule::promote(member, now, self.version, &DEFAULTS, jid)
    }

    /// A failed job, claimed from the queue of this bare name, before its failure is recorded.
    ///
    /// # Errors
    /// When the payload is not an object.
    pub(super) fn failing<'a>(
        &self,
        payload: &'a [u8],
        queue: &str,
    ) -> Result<Failing<'a>, PatchError> {
        let policy = Policy {
            version: self.version,
            max_retries: self.max_retries,
        };
        Failing::read(payload, queue, &policy)
    }
}
