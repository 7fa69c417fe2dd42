//! How fast a capsule works through jobs, and what that means for its claims.

use std::time::{Duration, Instant};

/// The most jobs in a parcel.
const PARCEL: usize = 128;
/// At this many jobs per second or more, a claim asks for parcels: a parcel is done within 2 ms. At a slower pace most
/// parcels would be opened again, which costs more than they save.
const PARCELS_FROM: f64 = 60_000.0;
/// The most jobs that may be ready or on their way, however fast they are.
const MOST_AHEAD: usize = 5_500;

/// A longer trip is an outage, and says nothing about the next one.
const LONGEST_TRIP: Duration = Duration::from_millis(100);

/// The minimum time over which a pace is measured before it counts, and for [`ENOUGH`] jobs, unless that takes
/// [`LONG_LOOK`].
const LOOK: Duration = Duration::from_micros(300);
/// See [`LOOK`].
const ENOUGH: u64 = 8;
/// After this long, earlier measurements no longer count, nor does it matter how few jobs there were.
const LONG_LOOK: Duration = Duration::from_millis(10);
/// The most by which a pace grows from one measurement to the next, or beyond what this one would show had it been a
/// long one: a few quick jobs say little about a thousand behind them.
const GROWTH: f64 = 4.0;

/// How fast a capsule's jobs are done, and how far ahead its fetcher may claim.
pub(in crate::engine) struct Pace {
    workers: usize,
    since: Instant,
    done: u64,
    ran: Duration,
    per_second: f64,
    /// How long claims take, in seconds.
    trip: f64,
}

impl Pace {
    /// The pace of this many workers that have done nothing yet.
    pub(in crate::engine) fn of(workers: usize) -> Self {
        Self {
            workers,
            since: Instant::now(),
            done: 0,
            ran: Duration::ZERO,
            per_second: 0.0,
            trip: 0.0,
        }
    }

    /// Past measurements say nothing about what comes next.
    pub(super) fn forget(&mut self) {
        self.per_second = 0.0;
    }

    /// A claim was answered after `elapsed`.
    pub(super) fn answered(&mut self, elapsed: Duration) {
        self.trip += (elapsed.min(LONGEST_TRIP).as_secs_f64() - self.trip) * 0.2;
    }

    /// By `now` this many jobs are done, which ran for `ran` in total, or longer: some may not count as done yet.
    pub(super) fn measure(&mut self, done: u64, ran: Duration, now: Instant) {
        let look = now.saturating_duration_since(self.since);
        let jobs = done.saturating_sub(self.done);
        if look < LONG_LOOK && (look < LOOK || jobs < ENOUGH) {
            return;
        }
        let ran_meanwhile = ran.saturating_sub(self.ran);
        let measured = self.measured(jobs, look, ran_meanwhile);
        // A faster pace is believed quickly, or a burst would be half over before it is claimed in earnest. A short
        // measurement says little about a slower one.
        let weight = if measured > self.per_second {
            1.0
        } else {
            (look.as_secs_f64() / LONG_LOOK.as_secs_f64()).clamp(0.05, 1.0)
        };
        self.per_second += (measured - self.per_second) * weight;
        (self.since, self.done, self.ran) = (now, done, ran);
    }

    /// Jobs that sleep and wake together end together, however long they took: the workers together cannot be faster
    /// than each of them allows.
    fn measured(&self, jobs: u64, look: Duration, ran: Duration) -> f64 {
        if ran.is_zero() {
            // They were returned, not run.
            return 0.0;
        }
        let jobs = jobs as f64;
        let ended = jobs / look.as_secs_f64();
        let possible = jobs * self.workers as f64 / ran.as_secs_f64();
        let known = self.per_second.max(jobs / LONG_LOOK.as_secs_f64());
        ended.min(possible).min(known * GROWTH)
    }

    /// The prefetch for now: what will be done within `ahead` and the time a claim takes, of which no more than another
    /// `ahead` counts. Jobs that take longer get none.
    pub(super) fn prefetch(&self, ahead: Duration) -> usize {
        let ahead = ahead.as_secs_f64();
        ((self.per_second * (ahead + self.trip.min(ahead))) as usize).min(MOST_AHEAD)
    }

    /// The most jobs in a parcel; 0 for no parcels.
    pub(super) fn parcel(&self) -> usize {
        if self.per_second < PARCELS_FROM {
            0
        } else {
            PARCEL
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(per_second: f64) -> Pace {
        Pace {
            per_second,
            ..Pace::of(10)
        }
    }

    const AHEAD: Duration = Duration::from_millis(10);

    #[test]
    fn the_prefetch_counts_from_when_a_claim_is_answered() {
        let mut pace = pace(10_000.0);
        assert_eq!(pace.prefetch(AHEAD), 100);
        (0..100).for_each(|_| pace.answered(Duration::from_millis(5)));
        assert_eq!(pace.prefetch(AHEAD), 149);
        // But never for longer than the budget itself, whatever an outage takes, and without a budget not at all.
        pace.answered(Duration::from_secs(60));
        assert_eq!(pace.prefetch(AHEAD), 200);
        assert_eq!(pace.prefetch(Duration::ZERO), 0);
    }

    #[test]
    fn the_prefetch_is_bounded() {
        assert_eq!(pace(1e9).prefetch(AHEAD), MOST_AHEAD);
    }

    const MILLISECOND: Duration = Duration::from_millis(1);

    fn looked_for(pace: &mut Pace, look: Duration, done: u64, ran: Duration) -> f64 {
        pace.measure(pace.done + done, pace.ran + ran, pace.since + look);
        pace.per_second
    }

    fn assert_near(is: f64, wanted: f64) {
        assert!((is - wanted).abs() <= wanted * 0.001, "{is}");
    }

    #[test]
    fn a_faster_pace_is_believed_soon_and_a_slower_one_by_and_by() {
        let mut pace = Pace::of(10);
        for wanted in [40_000.0, 100_000.0, 100_000.0] {
            assert_near(looked_for(&mut pace, MILLISECOND, 100, MILLISECOND), wanted);
        }
        assert_near(
            looked_for(&mut pace, MILLISECOND, 10, MILLISECOND),
            91_000.0,
        );
        assert_near(
            looked_for(&mut pace, 100 * MILLISECOND, 0, Duration::ZERO),
            0.0,
        );
    }

    #[test]
    fn a_few_jobs_or_a_moment_tell_nothing() {
        let mut pace = Pace::of(10);
        assert_near(looked_for(&mut pace, MILLISECOND, 7, MILLISECOND), 0.0);
        assert_near(looked_for(&mut pace, LOOK / 3, 100, MILLISECOND), 0.0);
    }

    #[test]
    fn a_few_quick_jobs_are_not_taken_for_a_burst() {
        let mut pace = Pace::of(25);
        let quick = Duration::from_micros(75);
        looked_for(&mut pace, MILLISECOND * 13 / 20, 25, quick);
        assert_eq!(pace.prefetch(AHEAD), 100);
    }

    #[test]
    fn jobs_that_end_together_are_no_faster_than_each() {
        let mut pace = Pace::of(25);
        let ran = 25 * 50 * MILLISECOND;
        assert_near(looked_for(&mut pace, MILLISECOND, 25, ran), 500.0);
    }

    #[test]
    fn jobs_that_were_returned_were_not_quick() {
        let mut pace = Pace::of(25);
        assert_near(
            looked_for(&mut pace, MILLISECOND, 1_000, Duration::ZERO),
            0.0,
        );
    }
}
