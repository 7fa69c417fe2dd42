//! How fast a capsule takes jobs, and what follows from it for its claims.

use std::time::{Duration, Instant};

use crate::engine::ready::Demand;

/// The most jobs of a parcel.
const PARCEL: usize = 128;
/// At this many jobs per second and more, a claim asks for parcels: one is done within 2 ms. Slower, and
/// most would be opened again, which costs more than it saves.
const PARCELS_FROM: f64 = 60_000.0;
/// The most jobs that may lie ready or be on their way, however fast they are.
const MOST_AHEAD: usize = 8_192;

/// Longer ones are outages, and say nothing about the next.
const LONGEST_TRIP: Duration = Duration::from_millis(100);

/// How fast a capsule takes jobs, and how far ahead its fetcher may claim.
pub(in crate::engine) struct Pace {
    since: Instant,
    taken: u64,
    per_second: f64,
    /// How long claims take, in seconds.
    trip: f64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            since: Instant::now(),
            taken: 0,
            per_second: 0.0,
            trip: 0.0,
        }
    }
}

impl Pace {
    /// A claim was answered after `elapsed`.
    pub(super) fn answered(&mut self, elapsed: Duration) {
        self.trip += (elapsed.min(LONGEST_TRIP).as_secs_f64() - self.trip) * 0.2;
    }

    /// The prefetch for now: what was taken lately, scaled to `ahead`, and what will be taken until a claim
    /// is answered, which is looked ahead for no longer than that. Jobs that take longer get none.
    pub(super) fn prefetch(&mut self, demand: Demand, ahead: Duration) -> usize {
        let elapsed = self.since.elapsed().as_secs_f64();
        if elapsed >= 0.002 {
            let taken = demand.taken.saturating_sub(self.taken) as f64;
            // The longer the look, the less the past counts; after a pause, nothing.
            let weight = (elapsed / 0.010).clamp(0.2, 1.0);
            self.per_second += (taken / elapsed - self.per_second) * weight;
            self.since = Instant::now();
            self.taken = demand.taken;
        }
        let ahead = ahead.as_secs_f64();
        ((self.per_second * (ahead + self.trip.min(ahead))) as usize).min(MOST_AHEAD)
    }

    /// The most jobs of a parcel; 0 for no parcels.
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
            ..Pace::default()
        }
    }

    const AHEAD: Duration = Duration::from_millis(10);

    #[test]
    fn the_prefetch_counts_from_when_a_claim_is_answered() {
        let mut pace = pace(10_000.0);
        assert_eq!(pace.prefetch(Demand::default(), AHEAD), 100);
        (0..100).for_each(|_| pace.answered(Duration::from_millis(5)));
        assert_eq!(pace.prefetch(Demand::default(), AHEAD), 149);
        // But never for longer than the budget itself, whatever an outage takes, and without one not at all.
        pace.answered(Duration::from_secs(60));
        assert_eq!(pace.prefetch(Demand::default(), AHEAD), 200);
        assert_eq!(pace.prefetch(Demand::default(), Duration::ZERO), 0);
    }

    #[test]
    fn the_prefetch_is_bounded() {
        assert_eq!(pace(1e9).prefetch(Demand::default(), AHEAD), MOST_AHEAD);
    }
}
