//! The name under which this process holds its jobs, and until when no other process can have them.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Instant;

use tokio::sync::Notify;

/// The lease of this process as far as it knows. Each lost lease is followed by one of the next epoch, under another
/// name.
pub struct Tenure {
    identity: String,
    epoch: AtomicU32,
    /// Until when the lease is certain to hold, in µs after `born`.
    until: AtomicU64,
    born: Instant,
    /// Notified when Redis has reported that the lease is gone.
    doubted: Notify,
}

impl Tenure {
    pub(in crate::engine) fn of(identity: &str, now: Instant) -> Self {
        Self {
            identity: identity.to_owned(),
            epoch: AtomicU32::new(1),
            until: AtomicU64::new(0),
            born: now,
            doubted: Notify::new(),
        }
    }

    /// The name under which the jobs of lease `epoch` are held.
    pub fn holder(&self, epoch: u32) -> String {
        format!("{}:{epoch}", self.identity)
    }

    /// The current lease.
    pub(in crate::engine) fn epoch(&self) -> u32 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Moves on to the next epoch: the present lease is lost.
    pub(in crate::engine) fn next_epoch(&self) -> u32 {
        self.epoch.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// The lease was confirmed by a call that began a lease period before `until`.
    pub(in crate::engine) fn holds_until(&self, until: Instant) {
        let micros = until.saturating_duration_since(self.born).as_micros();
        let micros = u64::try_from(micros).unwrap_or(u64::MAX);
        self.until.store(micros, Ordering::Release);
    }

    /// Whether a job claimed under the lease of `epoch` may start at `now`, because nobody else can have taken it over.
    /// A process that was suspended, or has not reached Redis for a lease period, must not start any of what it has
    /// claimed.
    pub fn may_start(&self, epoch: u32, now: Instant) -> bool {
        let micros = now.saturating_duration_since(self.born).as_micros();
        epoch == self.epoch() && micros < u128::from(self.until.load(Ordering::Acquire))
    }

    /// Redis has reported that the lease of `epoch` is gone: nothing can be claimed until that is dealt with, and the
    /// next renewal may be far off.
    pub(in crate::engine) fn doubt(&self, epoch: u32) {
        if epoch == self.epoch() {
            self.doubted.notify_one();
        }
    }

    /// Completes when the lease is in doubt.
    pub(in crate::engine) async fn doubted(&self) {
        self.doubted.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_job_may_start_only_under_the_present_lease_and_within_its_period() {
        let now = Instant::now();
        let tenure = Tenure::of("host:1:ab", now);
        assert!(!tenure.may_start(1, now), "nothing is confirmed yet");
        tenure.holds_until(now + Duration::from_secs(10));
        assert!(tenure.may_start(1, now + Duration::from_secs(9)));
        assert!(!tenure.may_start(1, now + Duration::from_secs(10)));
        assert_eq!(tenure.next_epoch(), 2);
        assert!(!tenure.may_start(1, now));
        assert_eq!(tenure.holder(2), "host:1:ab:2");
    }

    #[tokio::test]
    async fn only_the_present_lease_can_be_doubted() {
        let tenure = Tenure::of("me", Instant::now());
        tenure.next_epoch();
        tenure.doubt(1);
        let brief = Duration::from_millis(20);
        let heard = tokio::time::timeout(brief, tenure.doubted()).await;
        assert!(heard.is_err());
        tenure.doubt(2);
        tenure.doubted().await;
    }
}
