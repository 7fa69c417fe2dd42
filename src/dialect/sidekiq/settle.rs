//! Where a job goes when it has ended, and which counters it moves (processor.rb, job_retry.rb and fetch.rb of 6.4 to
//! 8.1).

use std::time::Duration;

use super::{Keys, Sidekiq, Utc};
use crate::dialect::{Body, Note, Place, Trim, Writes};
use crate::job::{Outcome, Queue, patch};

/// Sidekiq keeps each day's counters for five years.
const DAY_EXPIRY: u32 = 157_680_000;

/// What the dead set keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeadLimits {
    /// `dead_max_jobs`. As in Sidekiq, one job fewer than this survives a trim; none if it is 0.
    pub max_jobs: u64,
    /// `dead_timeout_in_seconds`.
    pub timeout: Duration,
}

impl Default for DeadLimits {
    fn default() -> Self {
        Self {
            max_jobs: 10_000,
            timeout: Duration::from_secs(180 * 24 * 3600),
        }
    }
}

/// What a job counts as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tally {
    Nothing,
    Processed,
    Failed,
}

impl Sidekiq {
    /// The counters of a job that succeeded.
    pub(in crate::dialect) fn success(&self, now: f64) -> Vec<Note> {
        self.counts(Tally::Processed, now)
    }

    /// What is written for a job from `queue` that ended at `now`, in seconds since the epoch.
    pub(in crate::dialect) fn settle(&self, outcome: &Outcome, queue: &Queue, now: f64) -> Writes {
        let (place, tally) = match outcome {
            Outcome::Done => (None, Tally::Processed),
            Outcome::Failed => (None, Tally::Failed),
            Outcome::Retry { at, payload } => {
                (Some(sorted(self.keys.retry(), *at, payload)), Tally::Failed)
            }
            Outcome::Dead { payload } => {
                (Some(sorted(self.keys.dead(), now, payload)), Tally::Failed)
            }
            Outcome::Malformed => return self.bury(Body::AsClaimed, now),
            Outcome::Interrupted => (Some(back(queue)), Tally::Failed),
            Outcome::Returned => (Some(back(queue)), Tally::Nothing),
            Outcome::Requeued { payload } => {
                let body = Body::Changed(payload.clone());
                (Some(push(queue, body)), Tally::Failed)
            }
        };
        let mut notes = self.counts(tally, now);
        match &place {
            Some(Place::List { .. }) => notes.push(self.register(&queue.name)),
            Some(Place::Sorted { .. }) if matches!(outcome, Outcome::Dead { .. }) => {
                notes.push(Note::Trim(self.trim(now)));
            }
            _ => {}
        }
        Writes { place, notes }
    }

    /// What is written for a job that leaves the schedule or the retry set for the back of `queue`.
    pub(in crate::dialect) fn push(&self, queue: &Queue, payload: Vec<u8>) -> Writes {
        Writes {
            place: Some(push(queue, Body::Changed(payload))),
            notes: vec![self.register(&queue.name)],
        }
    }

    /// What is written for one that cannot be read: it goes to the dead set, and nothing is counted.
    pub(in crate::dialect) fn bury(&self, body: Body, now: f64) -> Writes {
        Writes {
            place: Some(Place::Sorted {
                key: self.keys.dead(),
                score: now,
                body,
            }),
            notes: vec![Note::Trim(self.trim(now))],
        }
    }

    /// What is written for one that brought down its process again and again, `times` in all.
    pub(in crate::dialect) fn poisoned(&self, payload: &[u8], times: u32, now: f64) -> Writes {
        let message = format!(
            "\"the process that ran this job died {times} times in a row; it may be what killed it\""
        );
        let fields: [(&str, &[u8]); 2] = [
            ("error_class", b"\"Footplate::PoisonPill\""),
            ("error_message", message.as_bytes()),
        ];
        // A payload that is not an object is stored as it is.
        let marked = patch(payload, &fields).unwrap_or_else(|_| payload.to_vec());
        self.bury(Body::Changed(marked), now)
    }

    /// How the dead set is trimmed at `now`.
    pub(in crate::dialect) fn trim(&self, now: f64) -> Trim {
        Trim {
            key: self.keys.dead(),
            oldest: now - self.dead.timeout.as_secs_f64(),
            most: self.dead.max_jobs,
        }
    }

    fn register(&self, queue: &str) -> Note {
        Note::Member {
            key: self.keys.queues(),
            member: queue.to_owned(),
        }
    }

    fn counts(&self, tally: Tally, now: f64) -> Vec<Note> {
        let keys: &[fn(&Keys, &str) -> [String; 2]] = match tally {
            Tally::Nothing => &[],
            Tally::Processed => &[processed],
            Tally::Failed => &[processed, failed],
        };
        let day = Utc::at(now).date();
        keys.iter()
            .flat_map(|keys| {
                let [ever, today] = keys(&self.keys, &day);
                [(ever, None), (today, Some(DAY_EXPIRY))]
            })
            .map(|(key, expiry)| Note::Count { key, by: 1, expiry })
            .collect()
    }
}

fn processed(keys: &Keys, day: &str) -> [String; 2] {
    [keys.stat_processed(), keys.stat_processed_on(day)]
}

fn failed(keys: &Keys, day: &str) -> [String; 2] {
    [keys.stat_failed(), keys.stat_failed_on(day)]
}

fn sorted(key: String, score: f64, payload: &[u8]) -> Place {
    Place::Sorted {
        key,
        score,
        body: Body::Changed(payload.to_vec()),
    }
}

/// Back to the end from which it was popped.
fn back(queue: &Queue) -> Place {
    Place::List {
        key: queue.key.clone(),
        end: queue.pop,
        body: Body::AsClaimed,
    }
}

/// To the other end, behind the others.
fn push(queue: &Queue, body: Body) -> Place {
    Place::List {
        key: queue.key.clone(),
        end: queue.pop.opposite(),
        body,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(outcome: &Outcome) -> Writes {
        let sidekiq = Sidekiq::default();
        sidekiq.settle(outcome, &sidekiq.queue(0, "low"), 86_400.0)
    }

    fn counted(writes: &Writes) -> Vec<&str> {
        let key = |note: &Note| match note {
            Note::Count { key, .. } => Some(key.len()),
            _ => None,
        };
        let notes = writes.notes.iter().filter(|it| key(it).is_some());
        notes
            .map(|it| match it {
                Note::Count { key, .. } => key.as_str(),
                _ => "",
            })
            .collect()
    }

    #[test]
    fn attempts_and_failures_are_counted_and_what_never_ran_is_not() {
        let both = [
            "stat:processed",
            "stat:processed:1970-01-02",
            "stat:failed",
            "stat:failed:1970-01-02",
        ];
        assert_eq!(counted(&written(&Outcome::Done)), both[..2]);
        let payload = Vec::new();
        for outcome in [
            Outcome::Failed,
            Outcome::Interrupted,
            Outcome::Requeued {
                payload: payload.clone(),
            },
            Outcome::Dead {
                payload: payload.clone(),
            },
            Outcome::Retry { at: 1.0, payload },
        ] {
            assert_eq!(counted(&written(&outcome)), both, "{outcome:?}");
        }
        for outcome in [Outcome::Returned, Outcome::Malformed] {
            assert_eq!(counted(&written(&outcome)), [""; 0], "{outcome:?}");
        }
    }

    #[test]
    fn what_goes_back_is_popped_next_and_what_goes_on_later_is_popped_last() {
        let end = |outcome| match written(&outcome).place {
            Some(Place::List { key, end, .. }) => (key, end),
            other => panic!("{other:?}"),
        };
        let low = "queue:low".to_owned();
        assert_eq!(
            end(Outcome::Returned),
            (low.clone(), crate::job::End::Right)
        );
        let requeued = Outcome::Requeued {
            payload: Vec::new(),
        };
        assert_eq!(end(requeued), (low, crate::job::End::Left));
    }
}
