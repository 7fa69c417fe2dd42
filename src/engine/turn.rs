//! How long a worker keeps the GVL from one job to the next.
//!
//! Ruby takes the GVL from a thread when others have waited for it for 100 ms, or half of that, whatever the thread is
//! doing then. Sidekiq's workers release it with each job, to ask Redis for the next one; ours have the next one
//! already, and so
//! 1. a thread that waits for the GVL in the middle of a job (its query was answered, its sleep is over) would wait
//!    behind a whole series of other jobs;
//! 2. so would a job of a millisecond from which Ruby takes the GVL halfway, and behind the series of every worker that
//!    follows: 0.5 s was observed. Hence a worker releases it by itself before that, between two jobs.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// The quantum: long compared with what it costs to hand the GVL on, some 10 µs; short compared with a job that waits
/// for something.
const TURN: Duration = Duration::from_millis(2);
/// A thread that has kept the GVL for this long is using up a time slice, or a half one, as thread priority -1 has it:
/// its job will not release the GVL by itself.
const SLICE: Duration = Duration::from_millis(45);
/// How long the GVL is kept from workers that would start a job. Less than half of Ruby's time slice: up to Ruby 3.2
/// that ends for everybody when some thread has waited for a whole one, and two may be waiting.
const LONGEST: Duration = Duration::from_millis(40);

/// One worker's quantum of the GVL.
pub struct Turn {
    began: Instant,
    used: Duration,
    length: Duration,
    /// When the GVL was acquired, and how much processor time the thread had used by then.
    got: (Instant, Duration),
    /// How long it may be kept from then on: shorter than Ruby's slice, so that a job that has started meanwhile can
    /// end.
    limit: Duration,
}

impl Turn {
    /// Begins now, after a wait of `waited` for the GVL, in a thread of this priority. Beside a job that takes whole
    /// slices, a quantum is as long as it can be: otherwise all the other jobs together would get 2 ms for each 100 of
    /// that one.
    pub fn after(waited: Duration, priority: i32) -> Self {
        let (now, used) = (Instant::now(), processor_time());
        // Ruby halves the slice with each step below 0: at -1 it is 50 ms.
        let limit = LONGEST / (1 << (-1_i32).saturating_sub(priority).clamp(0, 2));
        Self {
            began: now,
            used,
            length: if waited < SLICE { TURN } else { limit },
            got: (now, used),
            limit,
        }
    }

    /// Whether this worker should release the GVL `now`, between two jobs. `wanted` tells whether others wait for it in
    /// the middle of one; if they do not, the next quantum begins.
    pub fn is_over(&mut self, now: Instant, wanted: impl FnOnce() -> bool) -> bool {
        if now.saturating_duration_since(self.began) < self.length {
            return false;
        }
        let used = processor_time();
        // If not, this thread waited for something meanwhile, and the others had their time.
        let over = used.saturating_sub(self.used) >= self.length;
        (self.began, self.used) = (now, used);
        self.has_reached_limit(now, used) || (over && wanted())
    }

    fn has_reached_limit(&mut self, now: Instant, used: Duration) -> bool {
        let (since, used_then) = self.got;
        let kept = now.saturating_duration_since(since);
        if kept < self.limit {
            return false;
        }
        // As above; but a thread that has the GVL does not always have a processor to itself.
        let computed = used.saturating_sub(used_then) >= kept / 2;
        self.got = (now, used);
        computed
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
        let mut turn = Turn::after(Duration::ZERO, 0);
        assert!(!turn.is_over(turn.began, || true));
        work(TURN);
        assert!(turn.is_over(Instant::now(), || true));
    }

    #[test]
    fn with_nobody_waiting_it_ends_before_ruby_would_break_off_a_job() {
        let mut turn = Turn::after(Duration::ZERO, 0);
        let got = turn.began;
        work(LONGEST / 2);
        assert!(!turn.is_over(got + LONGEST * 9 / 10, || false));
        assert!(turn.is_over(got + LONGEST, || false));
    }

    #[test]
    fn a_worker_whose_job_waited_keeps_its_turn() {
        let mut turn = Turn::after(Duration::ZERO, 0);
        let got = turn.began;
        work(TURN);
        assert!(!turn.is_over(got + LONGEST, || false));
        assert!(!turn.is_over(got + LONGEST * 3 / 2, || false));
    }

    #[test]
    fn beside_whole_slices_it_is_as_long_as_it_can_be() {
        let length = |waited, priority| Turn::after(Duration::from_millis(waited), priority).length;
        assert_eq!(length(44, 0), TURN);
        for (priority, millis) in [(5, 40), (0, 40), (-1, 40), (-2, 20), (i32::MIN, 10)] {
            assert_eq!(length(100, priority), Duration::from_millis(millis));
        }
    }
}
