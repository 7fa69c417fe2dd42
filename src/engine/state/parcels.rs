//! Regroups what was claimed together: jobs of a parcel that succeed are kept until the whole parcel has, and are
//! acknowledged as one. When a job takes longer than the others, or fails, its parcel is opened and each job is settled
//! by itself. Makes no calls: the settler talks to Redis.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::job::{Ended, Job, Outcome, Parcel};

/// How long a finished job waits for the others of its parcel. Should the process die meanwhile, it runs again; so this
/// is no longer than an acknowledgement may take on a busy Redis anyway.
const HOLD: Duration = Duration::from_millis(5);

/// What to send to Redis.
#[derive(Debug, Default)]
pub(in crate::engine) struct Sorted {
    /// The jobs of whole parcels, all of which succeeded.
    pub(in crate::engine) whole: Vec<Vec<Ended>>,
    /// One job from each parcel to open before `single` is settled.
    pub(in crate::engine) opened: Vec<Arc<Job>>,
    /// The others, in the order in which they were handed in.
    pub(in crate::engine) single: Vec<Ended>,
}

/// The parcels of which some jobs have ended and some have not.
#[derive(Default)]
pub(in crate::engine) struct Parcels {
    known: HashMap<Key, State>,
    epoch: u32,
}

/// A parcel and the epoch of its lease: tokens start afresh with each.
type Key = (u32, Parcel);

fn key(ended: &Ended) -> Option<Key> {
    Some((ended.job.epoch, ended.job.parcel?))
}

enum State {
    /// One entry in Redis. These of its jobs have succeeded, the first of them at `since`.
    Closed { since: Instant, done: Vec<Ended> },
    /// One entry per job. `left` have not ended.
    Open { left: usize },
}

impl Parcels {
    /// Adds what has ended by `now`; returns what must not wait any longer.
    pub(in crate::engine) fn sort(&mut self, ended: Vec<Ended>, now: Instant) -> Sorted {
        let mut sorted = Sorted::default();
        let newest = ended.iter().map(|it| it.job.epoch).max();
        if let Some(newest) = newest.filter(|it| *it > self.epoch) {
            self.epoch = newest;
            // Jobs that had not started when the lease was lost never end here.
            self.known.retain(|(epoch, _), state| {
                *epoch == newest || matches!(state, State::Closed { .. })
            });
        }
        let mut ended = ended.into_iter().peekable();
        while let Some(it) = ended.next() {
            let Some(key) = key(&it) else {
                sorted.single.push(it);
                continue;
            };
            // Jobs of one parcel mostly arrive one after the other.
            let run = std::iter::once(it).chain(std::iter::from_fn(|| {
                ended.next_if(|it| self::key(it) == Some(key))
            }));
            self.add(key, run, now, &mut sorted);
        }
        self.give_up_on_late(now, &mut sorted);
        sorted
    }

    /// When a kept job will have waited long enough. `None` when none is kept.
    pub(in crate::engine) fn due(&self) -> Option<Instant> {
        let since = |state: &State| match state {
            State::Closed { since, .. } => Some(*since + HOLD),
            State::Open { .. } => None,
        };
        self.known.values().filter_map(since).min()
    }

    /// Adds jobs of one parcel.
    fn add(
        &mut self,
        key: Key,
        ended: impl Iterator<Item = Ended>,
        now: Instant,
        sorted: &mut Sorted,
    ) {
        let count = key.1.count as usize;
        let state = self.known.entry(key).or_insert_with(|| State::Closed {
            since: now,
            done: Vec::with_capacity(count),
        });
        for it in ended {
            match state {
                State::Closed { done, .. } => {
                    let succeeded = matches!(it.outcome, Outcome::Done);
                    done.push(it);
                    if !succeeded {
                        *state = open(count, std::mem::take(done), sorted);
                    }
                }
                State::Open { left } => {
                    // A job may end twice: interrupted by the shutdown, and by itself.
                    *left = left.saturating_sub(1);
                    sorted.single.push(it);
                }
            }
        }
        match state {
            State::Closed { done, .. } if done.len() == count => {
                sorted.whole.push(std::mem::take(done));
                self.known.remove(&key);
            }
            State::Open { left: 0 } => {
                self.known.remove(&key);
            }
            _ => {}
        }
    }

    fn give_up_on_late(&mut self, now: Instant, sorted: &mut Sorted) {
        for ((_, parcel), state) in &mut self.known {
            match state {
                State::Closed { since, done } if *since + HOLD <= now => {
                    *state = open(parcel.count as usize, std::mem::take(done), sorted);
                }
                _ => {}
            }
        }
    }
}

/// The state of a parcel of `count` jobs that is opened when `ended` of them are to be settled.
fn open(count: usize, ended: Vec<Ended>, sorted: &mut Sorted) -> State {
    let left = count.saturating_sub(ended.len());
    sorted
        .opened
        .extend(ended.first().map(|it| Arc::clone(&it.job)));
    sorted.single.extend(ended);
    State::Open { left }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{Measure, Queue, Token};

    fn ended(token: u64, parcel: Option<(u64, u32)>, outcome: Outcome) -> Ended {
        Ended {
            job: Arc::new(Job {
                token: Token(token),
                parcel: parcel.map(|(first, count)| Parcel {
                    first: Token(first),
                    count,
                }),
                epoch: 1,
                queue: Queue::named("default"),
                payload: Box::default(),
                envelope: None,
            }),
            outcome,
            elapsed: None,
            measure: Measure::Nothing,
        }
    }

    fn done(token: u64, parcel: (u64, u32)) -> Ended {
        ended(token, Some(parcel), Outcome::Done)
    }

    fn tokens(ended: &[Ended]) -> Vec<u64> {
        ended.iter().map(|it| it.job.token.0).collect()
    }

    fn opened(sorted: &Sorted) -> Vec<u64> {
        let first = |job: &Arc<Job>| job.parcel.map(|it| it.first.0);
        sorted.opened.iter().filter_map(first).collect()
    }

    #[test]
    fn a_parcel_goes_out_once_all_of_it_has_succeeded_whatever_the_order() {
        let (mut parcels, now) = (Parcels::default(), Instant::now());
        let (a, b) = ((10, 3), (20, 2));
        let sorted = parcels.sort(vec![done(11, a), done(20, b), done(10, a)], now);
        assert!(sorted.whole.is_empty() && sorted.single.is_empty());
        assert_eq!(parcels.due(), Some(now + HOLD));
        let sorted = parcels.sort(vec![done(12, a), done(21, b)], now);
        let whole: Vec<_> = sorted.whole.iter().map(|it| tokens(it)).collect();
        assert_eq!(whole, [vec![11, 10, 12], vec![20, 21]]);
        assert!(sorted.opened.is_empty() && sorted.single.is_empty());
        assert!(parcels.known.is_empty());
    }

    #[test]
    fn a_late_job_is_not_waited_for() {
        let (mut parcels, now) = (Parcels::default(), Instant::now());
        parcels.sort(vec![done(10, (10, 3))], now);
        assert!(parcels.sort(Vec::new(), now).single.is_empty());
        let sorted = parcels.sort(Vec::new(), now + HOLD);
        assert_eq!(
            (opened(&sorted), tokens(&sorted.single)),
            (vec![10], vec![10])
        );
        assert_eq!(parcels.due(), None);
        // Opened once; the others go as they arrive.
        for token in [12, 11] {
            let sorted = parcels.sort(vec![done(token, (10, 3))], now + HOLD);
            assert_eq!(
                (opened(&sorted), tokens(&sorted.single)),
                (vec![], vec![token])
            );
        }
        assert!(parcels.known.is_empty());
    }

    #[test]
    fn a_job_that_does_not_succeed_opens_its_parcel() {
        let (mut parcels, now) = (Parcels::default(), Instant::now());
        let failed = |token| ended(token, Some((10, 3)), Outcome::Failed);
        let sorted = parcels.sort(vec![done(10, (10, 3)), failed(11), done(12, (10, 3))], now);
        assert_eq!(opened(&sorted), [10]);
        assert_eq!(tokens(&sorted.single), [10, 11, 12]);
        assert!(sorted.whole.is_empty() && parcels.known.is_empty());
    }

    #[test]
    fn a_job_that_was_interrupted_and_ended_all_the_same_counts_once() {
        let (mut parcels, now) = (Parcels::default(), Instant::now());
        let parcel = (10, 2);
        parcels.sort(vec![ended(10, Some(parcel), Outcome::Failed)], now);
        let interrupted = ended(11, Some(parcel), Outcome::Interrupted);
        let sorted = parcels.sort(vec![interrupted, done(11, parcel)], now);
        assert_eq!(tokens(&sorted.single), [11, 11]);
        assert!(parcels.known.is_empty());
    }

    #[test]
    fn single_jobs_and_parcels_of_another_lease_are_kept_apart() {
        let (mut parcels, now) = (Parcels::default(), Instant::now());
        let mut other = done(11, (10, 2));
        Arc::get_mut(&mut other.job)
            .expect("nobody else has it")
            .epoch = 2;
        let single = ended(1, None, Outcome::Done);
        let sorted = parcels.sort(vec![done(10, (10, 2)), other, single], now);
        assert_eq!(tokens(&sorted.single), [1]);
        assert!(sorted.whole.is_empty());
        assert_eq!(parcels.known.len(), 2);
    }
}
