//! How often worker threads are replaced in which a job has failed without leaving a trace.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Between two replacements, in the whole process. A new thread cost 400 µs of throughput where all jobs raise.
const PAUSE: Duration = Duration::from_millis(50);

/// Sidekiq goes on in a new thread after each failure. So do we while failures are rare. While there are many, threads
/// are *kept* for a while, so that new ones take less than a hundredth of one core. A kept thread may hold something
/// invisible (a mutex). It is replaced after a later job, or when all kept threads are called, which happens with every
/// heartbeat, so that nobody waits for ever for what an idle thread holds.
pub(super) struct Renewals {
    origin: Instant,
    /// When the next thread may be replaced, in nanoseconds after `origin`.
    next: AtomicU64,
    kept: AtomicUsize,
    /// How often the kept threads were called.
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

    /// One more thread is kept. Returns the count of calls so far, by which it later sees whether it was called.
    fn keep(&self) -> u64 {
        self.kept.fetch_add(1, Ordering::Relaxed);
        self.calls.load(Ordering::Relaxed)
    }

    /// A kept thread ends.
    fn drop_one(&self) {
        self.kept.fetch_sub(1, Ordering::Relaxed);
    }

    /// Calls all kept threads. Returns whether there are any; they may be asleep.
    pub(super) fn call(&self) -> bool {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.kept.load(Ordering::Relaxed) > 0
    }

    /// Whether a thread that has been kept since call `since` may be replaced. If so, that counts as done.
    fn may_renew_kept(&self, since: u64) -> bool {
        self.calls.load(Ordering::Relaxed) != since || self.may_renew()
    }

    /// Whether the thread that asks may be replaced. If so, that counts as done.
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

/// Decides when another thread goes on in place of this worker thread.
pub(super) struct Succession {
    renewals: Arc<Renewals>,
    /// Since which call it is kept, if it is.
    kept: Cell<Option<u64>>,
}

impl Succession {
    pub(super) fn of(renewals: &Arc<Renewals>) -> Self {
        Self {
            renewals: Arc::clone(renewals),
            kept: Cell::new(None),
        }
    }

    /// Whether another thread is to go on now: asked after a job, and before the thread falls asleep. `changed` says
    /// whether a failed job has left something behind that Ruby can see.
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
