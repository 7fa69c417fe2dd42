//! The host's clock, for what Sidekiq takes from it: time stamps and dates. Leases and due times go by Redis's own
//! clock.

use std::time::{SystemTime, UNIX_EPOCH};

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
}
