//! How often worker threads are replaced that show no trace of the job that failed in them.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Between two of them, in the whole process. A new thread took 400 µs of the throughput where all jobs raise.
const PAUSE: Duration = Duration::from_millis(50);

/// Sidekiq goes on in a new thread after each failure. Where failures are rare so do we; where they are many, a thread may
/// hold for a while what nobody can see (a mutex), and new ones take less than a hundredth of one core. Such threads are
/// *kept*: they are replaced after a later job, or when all kept ones are called, which is done with every beat, so that
/// nobody waits for good for what an idle one holds.
pub(super) struct Renewals {
    origin: Instant,
    /// Nanoseconds after `origin`.
    next: AtomicU64,
    kept: AtomicUsize,
    /// How often they were called.
    calls: AtomicU64,
}

impl Renewals {
    pub(super) fn new() -> Self {
        Self {
            origin: Instant::now(),
            next: AtomicU64::new(0),
            kept: AtomicUsize::new(0),
            calls: AtomicU64::new(0),
        }
    }

    /// One more thread is kept. What it asks with whether it has been called.
    fn keep(&self) -> u64 {
        self.kept.fetch_add(1, Ordering::Relaxed);
        self.calls.load(Ordering::Relaxed)
    }

    /// One of them ends.
    fn drop_one(&self) {
        self.kept.fetch_sub(1, Ordering::Relaxed);
    }

    /// Calls all that are kept. Whether there are any, which may be asleep.
    pub(super) fn call(&self) -> bool {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.kept.load(Ordering::Relaxed) > 0
    }

    /// Whether a thread may be replaced that is kept since then, which then counts as done.
    fn may_renew_kept(&self, since: u64) -> bool {
        self.calls.load(Ordering::Relaxed) != since || self.may_renew()
    }

    /// Whether the thread that asks may be replaced, which then counts as done.
    fn may_renew(&self) -> bool {
        self.may_renew_at(Instant::now())
    }

    fn may_renew_at(&self, now: Instant) -> bool {
        let nanos = |it: Duration| u64::try_from(it.as_nanos()).unwrap_or(u64::MAX);
        let now = nanos(now.saturating_duration_since(self.origin));
        let due = |next| (next <= now).then(|| now.saturating_add(nanos(PAUSE)));
        let claimed = self
            .next
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, due);
        claimed.is_ok()
    }
}

/// A worker thread, as far as another may have to go on in its place.
pub(super) struct Succession {
    renewals: Arc<Renewals>,
    /// Since when it is kept.
    kept: Cell<Option<u64>>,
}

impl Succession {
    pub(super) fn of(renewals: &Arc<Renewals>) -> Self {
        Self {
            renewals: Arc::clone(renewals),
            kept: Cell::new(None),
        }
    }

    /// Whether it is due, after a job or before the thread falls asleep. `changed` says what Ruby knows of what a job that
    /// failed has left behind.
    pub(super) fn is_due(&self, failed: bool, changed: impl FnOnce() -> bool) -> bool {
        let renewals = &self.renewals;
        let kept = self.kept.get();
        let renewed = match kept {
            Some(since) => renewals.may_renew_kept(since),
            None => failed && renewals.may_renew(),
        };
        if renewed || (failed && changed()) {
            return true;
        }
        if failed && kept.is_none() {
            self.kept.set(Some(renewals.keep()));
        }
        false
    }
}

impl Drop for Succession {
    fn drop(&mut self) {
        if self.kept.get().is_some() {
            self.renewals.drop_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_are_kept_are_replaced_when_called() {
        let renewals = Renewals::new();
        assert!(renewals.may_renew());
        assert!(!renewals.call());
        let kept = renewals.keep();
        assert!(renewals.call());
        assert!(renewals.may_renew_kept(kept));
        renewals.drop_one();
        assert!(!renewals.call());
    }

    #[test]
    fn one_thread_per_pause() {
        let renewals = Renewals::new();
        let at = |millis| renewals.origin + Duration::from_millis(millis);
        let asked = [0, 0, 49, 50, 51, 99, 100, 500, 501];
        let renewed = asked
            .into_iter()
            .filter(|it| renewals.may_renew_at(at(*it)));
        assert_eq!(renewed.collect::<Vec<_>>(), [0, 50, 100, 500]);
    }
}
