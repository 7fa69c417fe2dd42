//! How long a worker keeps the GVL from one job to the next.
//!
//! Ruby takes it from a thread for which others wait after 100 ms, or half of that, wherever the thread is then. Sidekiq's
//! workers let go of it with each job, to ask Redis for the next one; ours have the next one already, and
//! 1. whoever waits for the GVL in the middle of a job (its query was answered, its sleep is over) would wait behind a
//!    whole series of others;
//! 2. so would a job of a millisecond in the middle of which Ruby takes it, and behind the series of every worker that
//!    follows: seen, 0.5 s. Hence a worker lets go of it by itself before that, between two jobs.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Long against what it costs to hand the GVL on, some 10 µs; short against what a job takes that waits for something.
const TURN: Duration = Duration::from_millis(2);
/// Whoever keeps the GVL for so long has used up a time slice, or half a one as thread priority -1 has it: the job will not
/// let go of the GVL by itself.
const SLICE: Duration = Duration::from_millis(45);
/// Ruby's shortest slice is 50 ms: before it is over.
const UNBROKEN: Duration = Duration::from_millis(40);
/// Nearly a whole slice of the usual priority.
const LONGEST: Duration = Duration::from_millis(80);

/// One worker's time with the GVL.
pub(super) struct Turn {
    /// When the worker got the GVL.
    got: Instant,
    began: Instant,
    used: Duration,
    length: Duration,
}

impl Turn {
    /// Begins now, after the GVL was waited for so long. Beside a job that takes whole slices a turn is nearly as long as
    /// one: else all the other jobs together would get 2 ms for each 100 of that one.
    pub(super) fn after(waited: Duration) -> Self {
        let now = Instant::now();
        Self {
            got: now,
            began: now,
            used: processor_time(),
            length: if waited < SLICE {
                TURN
            } else {
                (waited * 4 / 5).min(LONGEST)
            },
        }
    }

    /// Whether this worker should let go of the GVL `now`, between two jobs. `wanted` says whether others wait for it in
    /// the middle of one; if they do not, the next turn begins.
    pub(super) fn is_over(&mut self, now: Instant, wanted: impl FnOnce() -> bool) -> bool {
        if now.saturating_duration_since(self.began) < self.length {
            return false;
        }
        if now.saturating_duration_since(self.got) >= UNBROKEN.max(self.length) {
            return true;
        }
        let used = processor_time();
        // If not, it waited for something meanwhile, and the others had theirs.
        let over = used.saturating_sub(self.used) >= self.length;
        (self.began, self.used) = (now, used);
        over && wanted()
    }
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Uses up the processor.
    fn work(time: Duration) {
        let end = processor_time() + time;
        while processor_time() < end {}
    }

    #[test]
    fn a_turn_ends_for_those_who_wait_in_the_middle_of_a_job() {
        let mut turn = Turn::after(Duration::ZERO);
        assert!(!turn.is_over(turn.began, || true));
        work(TURN);
        assert!(turn.is_over(Instant::now(), || true));
    }

    #[test]
    fn with_nobody_waiting_it_ends_before_ruby_would_break_off_a_job() {
        let mut turn = Turn::after(Duration::ZERO);
        let got = turn.got;
        work(TURN);
        assert!(!turn.is_over(got + TURN, || false));
        assert!(!turn.is_over(got + UNBROKEN.mul_f32(0.9), || false));
        assert!(turn.is_over(got + UNBROKEN, || false));
    }

    #[test]
    fn beside_whole_slices_it_is_nearly_as_long_as_they_are() {
        let waited = Duration::from_millis(60);
        let mut turn = Turn::after(waited);
        let got = turn.got;
        work(TURN);
        assert!(!turn.is_over(got + waited.mul_f32(0.7), || true));
        assert!(turn.is_over(got + waited.mul_f32(0.8), || false));
        assert_eq!(Turn::after(Duration::from_secs(1)).length, LONGEST);
    }
}
