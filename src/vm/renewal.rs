//! How often worker threads are replaced that show no trace of the job that failed in them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Between two of them, in the whole process. A new thread took 400 µs of the throughput where all jobs raise.
const PAUSE: Duration = Duration::from_millis(20);

/// Sidekiq goes on in a new thread after each failure. Where failures are rare so do we; where they are many, a thread may
/// hold for a while what nobody can see (a mutex), and new ones take a fiftieth of one core at most.
pub(super) struct Renewals {
    origin: Instant,
    /// Nanoseconds after `origin`.
    next: AtomicU64,
}

impl Renewals {
    pub(super) fn new() -> Self {
        Self {
            origin: Instant::now(),
            next: AtomicU64::new(0),
        }
    }

    /// Whether the thread that asks may be replaced, which then counts as done.
    pub(super) fn may_renew(&self) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thread_per_pause() {
        let renewals = Renewals::new();
        let at = |millis| renewals.origin + Duration::from_millis(millis);
        let asked = [0, 0, 19, 20, 21, 39, 40, 500, 501];
        let renewed = asked
            .into_iter()
            .filter(|it| renewals.may_renew_at(at(*it)));
        assert_eq!(renewed.collect::<Vec<_>>(), [0, 20, 40, 500]);
    }
}
