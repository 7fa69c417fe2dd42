//! The dead set's limits. Each script that buries a job trims it as far as one step may; the rest is trimmed
//! here, step by step.

use std::time::Duration;

use redis::Value;

use super::script::{Call, TRIM};
use super::{Store, StoreError, reply};

/// How much the dead set keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeadLimits {
    /// `dead_max_jobs`. As in Sidekiq, one job fewer than this survives a trim; none where it is 0.
    pub max_jobs: u64,
    /// `dead_timeout_in_seconds`.
    pub timeout: Duration,
}

impl Default for DeadLimits {
    fn default() -> Self {
        Self {
            max_jobs: 10_000,
            timeout: Duration::from_secs(180 * 24 * 3600),
        }
    }
}

impl Store {
    /// Completes when a burial has left more to trim than its step could.
    pub async fn dead_set_overfull(&self) {
        self.overfull.notified().await;
    }

    /// Trims one step more at `now`, in seconds since the epoch; whether that was not the last.
    pub async fn trim_dead_set(&self, now: f64) -> Result<bool, StoreError> {
        let mut call = Call::keys([self.keys.dead()]);
        let [_, oldest, most] = self.trim(now);
        call.arg(oldest).arg(most);
        Ok(reply::integer(&self.link.script(&TRIM, &call).await?)? == 1)
    }

    /// The arguments with which a script trims the dead set at `now`.
    pub(super) fn trim(&self, now: f64) -> [String; 3] {
        let oldest = now - self.dead.timeout.as_secs_f64();
        [
            now.to_string(),
            oldest.to_string(),
            self.dead.max_jobs.to_string(),
        ]
    }

    /// One flag per item, as a script that may bury some returns them, and one more if the dead set is not yet
    /// trimmed.
    pub(super) fn flags_and_trim(
        &self,
        value: Value,
        count: usize,
    ) -> Result<Vec<bool>, StoreError> {
        let mut flags = reply::array(value)?;
        if flags.len() == count + 1 {
            flags.pop();
            self.overfull.notify_one();
        }
        reply::flags(Value::Array(flags), count)
    }
}
