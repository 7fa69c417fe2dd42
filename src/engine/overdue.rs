//! Which leases were not renewed for a whole period by this process's own clock, nor for as long as they were to last:
//! another process may use a longer period. A single look at Redis's clock declares nobody dead: where that clock
//! jumps, all leases end at once, and all holders renew theirs as usual.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::store::Lease;

/// The leases seen so far.
pub(super) struct Overdue {
    period: Duration,
    /// By holder: the lease as Redis reported it, and when it was first reported so.
    seen: HashMap<String, (Lease, Instant)>,
    looked: Option<Instant>,
}

impl Overdue {
    /// For leases that last for `period`.
    pub(super) fn new(period: Duration) -> Self {
        Self {
            period,
            seen: HashMap::new(),
            looked: None,
        }
    }

    /// The time that has passed so far does not count: Redis may have been out of everybody's reach.
    pub(super) fn forget(&mut self) {
        self.seen.clear();
        self.looked = None;
    }

    /// Which of them to declare dead in a look that begins at `now`.
    pub(super) fn at(&mut self, now: Instant) -> Vec<Lease> {
        // Nobody knows what happened in between.
        if self.looked.is_some_and(|it| now - it > self.period / 2) {
            self.forget();
        }
        self.seen
            .values()
            .filter(|(lease, since)| {
                now.saturating_duration_since(*since) >= self.period.max(lease.left)
            })
            .map(|(lease, _)| lease.clone())
            .collect()
    }

    /// Records the result of a look that ended at `now`.
    pub(super) fn saw(&mut self, now: Instant, leases: Vec<Lease>) {
        let mut before = std::mem::take(&mut self.seen);
        for lease in leases {
            let known = before.remove(&lease.holder);
            let same = known.filter(|(known, _)| known.ends == lease.ends);
            self.seen
                .insert(lease.holder.clone(), same.unwrap_or((lease, now)));
        }
        self.looked = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_secs(10);

    fn lease(holder: &str, ends: u32) -> Lease {
        Lease {
            holder: holder.to_owned(),
            ends: ends.to_string(),
            left: Duration::ZERO,
        }
    }

    /// Looks every three seconds, where `ends` gives the reported end for each time, until a holder is overdue.
    fn overdue_after(looks: u32, ends: impl Fn(u32) -> u32) -> Option<u32> {
        let start = Instant::now();
        let mut overdue = Overdue::new(PERIOD);
        (0..looks).map(|look| look * 3).find(|seconds| {
            let now = start + Duration::from_secs((*seconds).into());
            let dead = overdue.at(now);
            overdue.saw(now, vec![lease("it", ends(*seconds))]);
            !dead.is_empty()
        })
    }

    #[test]
    fn a_lease_that_nobody_renews_is_overdue_after_a_period() {
        assert_eq!(overdue_after(10, |_| 17), Some(12));
    }

    #[test]
    fn one_that_is_renewed_never_is_whatever_the_clock_says() {
        assert_eq!(overdue_after(1_000, |seconds| seconds % 7), None);
    }

    /// The lease of a process with other settings. Redis's clock jumps in between, which changes what is left.
    #[test]
    fn a_longer_lease_is_not_overdue_before_its_own_time() {
        let start = Instant::now();
        let mut overdue = Overdue::new(PERIOD);
        let dead = (0..100).find(|look| {
            let now = start + Duration::from_secs(look * 3);
            let dead = overdue.at(now);
            let left = Duration::from_secs(if *look < 2 { 60 } else { 0 });
            let long = Lease {
                left,
                ..lease("it", 60)
            };
            overdue.saw(now, vec![long]);
            !dead.is_empty()
        });
        assert_eq!(dead, Some(20));
    }

    #[test]
    fn what_was_not_watched_does_not_count() {
        let start = Instant::now();
        let mut overdue = Overdue::new(PERIOD);
        overdue.saw(start, vec![lease("it", 1)]);
        assert!(overdue.at(start + PERIOD).is_empty());
        overdue.saw(start + PERIOD, vec![lease("it", 1)]);
        assert!(overdue.at(start + PERIOD + PERIOD / 2).is_empty());
    }

    #[test]
    fn a_lease_that_is_gone_and_comes_back_begins_anew() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut overdue = Overdue::new(PERIOD);
        overdue.saw(at(0), vec![lease("it", 1)]);
        overdue.saw(at(4), vec![]);
        overdue.saw(at(8), vec![lease("it", 1)]);
        assert!(overdue.at(at(12)).is_empty());
        overdue.saw(at(12), vec![lease("it", 1)]);
        overdue.saw(at(16), vec![lease("it", 1)]);
        assert_eq!(overdue.at(at(18)), [lease("it", 1)]);
    }
}
