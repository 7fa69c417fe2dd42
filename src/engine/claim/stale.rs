//! How long claimed jobs have been waiting in the ready queue, and which of them should therefore go back.

use std::time::{Duration, Instant};

use crate::engine::ready::Demand;

/// Jobs that wait in the ready queue for this long go back: another process may run them. If some others were taken
/// meanwhile, quick jobs were followed by slow ones, and what exceeds the present pace's needs goes back. If none was,
/// the workers are held up (a job keeps the GVL), and everything goes back. The wait before that doubles each time no
/// job was taken, up to [`MOST_PATIENT`]: where every wait for the GVL is long, jobs must not be taken away again and
/// again before it ends.
const LONG: Duration = Duration::from_secs(1);
/// See [`LONG`].
const MOST_PATIENT: Duration = Duration::from_secs(30);

/// What should go back to the queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Back {
    Nothing,
    /// Jobs that the workers will not reach soon.
    Surplus,
    /// All of them: no worker comes.
    All,
}

/// Watches the jobs in the ready queue: to be asked whenever they may have changed, and at [`Self::next_look`].
pub(in crate::engine) struct Stale {
    since: Instant,
    ready: usize,
    taken: u64,
    /// How long no job must have been taken before all go back.
    backoff: Duration,
}

impl Stale {
    pub(in crate::engine) fn from(now: Instant) -> Self {
        Self {
            since: now,
            ready: 0,
            taken: 0,
            backoff: LONG,
        }
    }

    /// When to look again at the latest, while jobs wait in the ready queue.
    pub(super) fn next_look(&self, now: Instant) -> Instant {
        let waited = now.saturating_duration_since(self.since);
        let until = if waited < LONG { LONG } else { self.backoff };
        now + until.saturating_sub(waited).min(LONG)
    }

    pub(super) fn look(&mut self, now: Instant, demand: Demand) -> Back {
        if demand.ready == 0 || self.ready == 0 {
            self.begin(now, demand);
            return Back::Nothing;
        }
        let waited = now.saturating_duration_since(self.since);
        if waited < LONG {
            return Back::Nothing;
        }
        let taken = demand.taken - self.taken;
        if taken > 0 {
            // Workers take the oldest first.
            let some_lie_still = self.ready as u64 > taken;
            self.backoff = LONG;
            self.begin(now, demand);
            return if some_lie_still {
                Back::Surplus
            } else {
                Back::Nothing
            };
        }
        if waited < self.backoff {
            return Back::Nothing;
        }
        self.backoff = (self.backoff * 2).min(MOST_PATIENT);
        self.begin(now, demand);
        Back::All
    }

    fn begin(&mut self, now: Instant, demand: Demand) {
        (self.since, self.ready, self.taken) = (now, demand.ready, demand.taken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Clock {
        stale: Stale,
        now: Instant,
    }

    impl Clock {
        fn new() -> Self {
            let now = Instant::now();
            Self {
                stale: Stale::from(now),
                now,
            }
        }

        fn after(&mut self, seconds: f64, ready: usize, taken: u64) -> Back {
            self.now += Duration::from_secs_f64(seconds);
            let demand = Demand {
                ready,
                taken,
                ..Demand::default()
            };
            self.stale.look(self.now, demand)
        }
    }

    #[test]
    fn jobs_behind_slow_ones_go_back_when_some_have_lain_for_a_second() {
        let mut clock = Clock::new();
        assert_eq!(clock.after(0.0, 100, 0), Back::Nothing);
        assert_eq!(clock.after(0.5, 95, 5), Back::Nothing);
        assert_eq!(clock.after(0.6, 90, 10), Back::Surplus);
        // None of the jobs that are there now was there a second before.
        assert_eq!(clock.after(1.0, 90, 100), Back::Nothing);
        assert_eq!(clock.after(1.0, 90, 189), Back::Surplus);
    }

    #[test]
    fn all_go_back_when_nobody_comes_however_often_one_looks() {
        let mut clock = Clock::new();
        for _ in 0..10 {
            assert_eq!(clock.after(0.1, 5, 0), Back::Nothing);
        }
        assert_eq!(clock.after(0.1, 5, 0), Back::All);
    }

    #[test]
    fn in_vain_it_is_more_patient_until_somebody_comes() {
        let mut clock = Clock::new();
        clock.after(0.0, 5, 0);
        assert_eq!(clock.after(1.0, 5, 0), Back::All);
        assert_eq!(clock.after(0.1, 0, 0), Back::Nothing);
        assert_eq!(clock.after(0.0, 5, 0), Back::Nothing);
        assert_eq!(clock.after(1.5, 5, 0), Back::Nothing);
        assert_eq!(clock.stale.next_look(clock.now) - clock.now, LONG / 2);
        assert_eq!(clock.after(0.5, 5, 0), Back::All);
        for _ in 0..10 {
            clock.after(30.0, 5, 0);
        }
        assert_eq!(clock.after(29.0, 5, 0), Back::Nothing);
        assert_eq!(clock.after(0.5, 4, 1), Back::Surplus);
        assert_eq!(clock.after(1.0, 4, 1), Back::All);
    }

    #[test]
    fn what_lies_there_from_now_on_counts_from_now_on() {
        let mut clock = Clock::new();
        assert_eq!(clock.after(5.0, 1, 7), Back::Nothing);
        assert_eq!(clock.stale.next_look(clock.now) - clock.now, LONG);
        assert_eq!(clock.after(0.9, 1, 7), Back::Nothing);
    }
}
