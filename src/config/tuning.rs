//! Intervals and limits of the engine. All have suitable defaults; `config/footplate.yml` may change them under
//! the same names.

use serde::Deserialize;

use super::{ConfigError, mistake};
use crate::engine::Shortcut;
use crate::store::LONGEST_LEASE;

/// Each field says what a larger or smaller value is good for.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Tuning {
    /// Seconds after which the jobs of a process that no longer renews its lease go to others. Shorter
    /// recovers sooner; longer forgives longer pauses of the machine or of Redis.
    pub lease_seconds: f64,
    /// Seconds between two heartbeats. Dashboards see busy jobs this late at most; Sidekiq beats every 10 (5
    /// in version 6), and a process that misses 60 seconds counts as dead everywhere.
    pub beat_seconds: f64,
    /// How many milliseconds of work may be claimed ahead of free threads, counted from when a claim is
    /// answered, and at most twice as many from when it is sent. 0 claims only what can start at
    /// once.
    pub prefetch_ms: u32,
    /// The ways in which jobs may arrive besides the plain one; all of them unless the file names some. For finding
    /// faults.
    pub shortcuts: Option<Vec<Shortcut>>,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            lease_seconds: 10.0,
            beat_seconds: 5.0,
            prefetch_ms: 10,
            shortcuts: None,
        }
    }
}

impl Tuning {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let longest = LONGEST_LEASE.as_secs_f64();
        within("lease_seconds", self.lease_seconds, 2.0, longest)?;
        // 10 s is Sidekiq's own interval; with a longer one its dashboards would call a live process dead.
        within("beat_seconds", self.beat_seconds, 0.5, 10.0)?;
        if self.prefetch_ms > 1_000 {
            return mistake(format!(
                "prefetch_ms: {} must lie between 0 and 1000.",
                self.prefetch_ms
            ));
        }
        Ok(())
    }
}

fn within(name: &str, value: f64, low: f64, high: f64) -> Result<(), ConfigError> {
    if (low..=high).contains(&value) {
        Ok(())
    } else {
        mistake(format!(
            "{name}: {value} must lie between {low} and {high} seconds."
        ))
    }
}
