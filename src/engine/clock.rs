//! The host's clock, for what Sidekiq takes from the host's clock: time stamps and dates. Leases
//! and due times go by Redis's own.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::dialect::sidekiq::Utc;

/// Wall-clock time.
#[derive(Clone, Copy, Debug)]
pub struct Clock;

impl Clock {
    /// Epoch seconds.
    pub fn now(self) -> f64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0.0, |it| it.as_secs_f64())
    }

    /// Today in UTC, as the dated counters are named: `YYYY-MM-DD`.
    pub fn day(self) -> String {
        Utc::at(self.now()).date()
    }
}
