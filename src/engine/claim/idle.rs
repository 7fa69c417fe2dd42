//! Waiting for a queue to get a job: until Redis reports that one was touched, or for a time learnt from experience.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout_at};

use crate::engine::state::restraint::Restraint;
use crate::engine::state::{Capsule, Shared};

/// Consecutive fruitless looks that are free: see restraint.rs. More than for other keys, because of several idle
/// processes all look and only one gets the job.
const IN_HAND: u32 = 10;
/// How long to trust the invalidation messages before looking at all queues.
const TRUST: Duration = Duration::from_secs(15);
/// The same per capsule, where there are very many.
const TRUST_PER_CAPSULE: Duration = Duration::from_secs(1);

/// The state of one fetcher's waiting.
pub(in crate::engine) struct Idle {
    fruitless: u32,
    restraint: Restraint,
    handed_over: u64,
    /// Whether the last claim was late: see [`Claims`](crate::store::Claims).
    late: bool,
    trusted: Instant,
}

impl Idle {
    pub(in crate::engine) fn from(now: Instant) -> Self {
        Self {
            fruitless: 0,
            restraint: Restraint::of(IN_HAND),
            handed_over: 0,
            late: false,
            trusted: now,
        }
    }

    /// A claim brought jobs.
    pub(super) fn reset(&mut self) {
        self.fruitless = 0;
        self.restraint.relax();
    }

    /// Whether a reply without jobs says nothing about the queues, because the claim came late. Twice in a row is no
    /// accident: a claim may also fail in a way that repetition does not mend.
    pub(super) fn tells_nothing(&mut self, late: bool) -> bool {
        let before = std::mem::replace(&mut self.late, late);
        late && !before
    }

    /// Marks all queues as touched from time to time: a message may have been lost.
    pub(super) fn doubt(&mut self, shared: &Shared, capsule: &Capsule, now: Instant) {
        if self.trusted_until(shared) <= now {
            self.trusted = now;
            capsule.touches.add_all();
        }
    }

    fn trusted_until(&self, shared: &Shared) -> Instant {
        let capsules = u32::try_from(shared.capsules.len()).unwrap_or(u32::MAX);
        self.trusted + TRUST.max(TRUST_PER_CAPSULE.saturating_mul(capsules))
    }

    /// Waits until there is a queue to look at. `told`: Redis reports touched keys.
    pub(super) async fn wait(&mut self, shared: &Shared, capsule: &Capsule, told: bool) {
        if !told {
            let pause = Duration::from_millis(4) * 2_u32.pow(self.fruitless.min(5));
            self.fruitless += 1;
            sleep(pause).await;
            capsule.touches.add_all();
            return;
        }
        let handed_over = capsule.handed_over.load(Ordering::Relaxed);
        if std::mem::replace(&mut self.handed_over, handed_over) != handed_over {
            // The look was fruitless because the job had arrived by hand-off.
            self.reset();
        }
        let until = self.trusted_until(shared).into();
        if timeout_at(until, capsule.touches.wait()).await.is_ok() {
            let pause = self
                .restraint
                .pause(Instant::now(), &shared.wakeups.stream, 1);
            sleep_or_yield(pause).await;
        }
    }
}

/// Even without a pause, yields: the same push may have handed a job over, which goes first, since its worker can
/// start.
async fn sleep_or_yield(pause: Duration) {
    if pause.is_zero() {
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
    } else {
        sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_claim_tells_nothing_unless_the_one_before_was_late_too() {
        let mut idle = Idle::from(Instant::now());
        let answers = [true, true, true, false, true, false, false, true];
        let told = answers.map(|late| idle.tells_nothing(late));
        assert_eq!(told, [true, false, false, false, true, false, false, true]);
    }
}
