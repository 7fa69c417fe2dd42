//! Measurements not yet written.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::dialect::{Dialect, Measured, Metrics, MetricsWrite};
use crate::engine::sync::{Mutex, lock};
use crate::job::{Ended, Measure, Outcome};

/// The execution metrics of each dialect.
pub(in crate::engine) struct Stats {
    metrics: Mutex<Vec<Metrics>>,
    /// How many flushes there have been: a repeated one must count only once.
    flushes: AtomicU64,
    unwritten: Mutex<Option<Flush>>,
}

/// Measurements on their way to Redis, under the number that keeps them from being counted twice.
pub(in crate::engine) struct Flush {
    pub(in crate::engine) sequence: u64,
    pub(in crate::engine) writes: Vec<MetricsWrite>,
}

impl Stats {
    pub(super) fn of(dialects: &[Dialect]) -> Self {
        let metrics = dialects.iter().map(Dialect::metrics);
        Self {
            metrics: Mutex::new(metrics.collect()),
            flushes: AtomicU64::new(0),
            unwritten: Mutex::new(None),
        }
    }

    /// Adds the jobs that ended.
    pub(in crate::engine) fn measure(&self, ended: &[Ended]) {
        let mut metrics = lock(&self.metrics);
        for it in ended {
            let Some(measured) = measured(it) else {
                continue;
            };
            let class = match &it.measure {
                Measure::Class => it.job.display_class(),
                Measure::Named(class) => Some(class.as_str()),
                Measure::Nothing => None,
            };
            let metrics = metrics.get_mut(it.job.queue.dialect);
            if let (Some(class), Some(metrics)) = (class, metrics) {
                metrics.record(class, measured, it.elapsed.unwrap_or_default());
            }
        }
    }

    /// What to write now: first what could not be written before.
    pub(in crate::engine) fn next_flush(&self, now: f64) -> Option<Flush> {
        let kept = lock(&self.unwritten).take();
        kept.or_else(|| self.drain(now))
    }

    /// Keeps a flush that could not be written for the next time.
    pub(in crate::engine) fn keep(&self, flush: Flush) {
        *lock(&self.unwritten) = Some(flush);
    }

    fn drain(&self, now: f64) -> Option<Flush> {
        let mut metrics = lock(&self.metrics);
        let writes = metrics.iter_mut().flat_map(|it| it.drain(now));
        let writes: Vec<_> = writes.collect();
        (!writes.is_empty()).then(|| Flush {
            sequence: self.flushes.fetch_add(1, Ordering::AcqRel) + 1,
            writes,
        })
    }
}

/// How a job is counted; `None` if it is not.
fn measured(ended: &Ended) -> Option<Measured> {
    match ended.outcome {
        Outcome::Done => Some(Measured::Success),
        Outcome::Requeued { .. } => Some(Measured::Interrupted),
        Outcome::Returned | Outcome::Malformed => None,
        _ if ended.elapsed.is_some() => Some(Measured::Interrupted),
        _ => Some(Measured::Failed),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::dialect::Sidekiq;
    use crate::job::{Envelope, Job, Queue, Token};

    fn stats() -> Stats {
        Stats::of(&[Dialect::Sidekiq(Sidekiq::default())])
    }

    fn ended(outcome: Outcome, measure: Measure) -> Ended {
        let payload = br#"{"class":"A","args":[],"jid":"1"}"#;
        let job = Job {
            token: Token(1),
            parcel: None,
            epoch: 1,
            queue: Queue::named("low"),
            envelope: Envelope::read(payload),
            payload: payload.to_vec().into_boxed_slice(),
        };
        Ended {
            job: Arc::new(job),
            outcome,
            elapsed: Some(3.0),
            measure,
        }
    }

    #[test]
    fn what_cannot_be_written_goes_first_and_keeps_its_number() {
        let stats = stats();
        stats.measure(&[ended(Outcome::Done, Measure::Class)]);
        let first = stats.next_flush(0.0).expect("one");
        assert_eq!(first.sequence, 1);
        stats.measure(&[ended(Outcome::Done, Measure::Class)]);
        stats.keep(first);
        let again = stats.next_flush(0.0).map(|it| it.sequence);
        assert_eq!(again, Some(1));
        assert_eq!(stats.next_flush(0.0).map(|it| it.sequence), Some(2));
        assert!(stats.next_flush(0.0).is_none());
    }

    #[test]
    fn what_never_ran_and_what_has_nobody_counts_nowhere() {
        let stats = stats();
        stats.measure(&[
            ended(Outcome::Returned, Measure::Class),
            ended(Outcome::Malformed, Measure::Class),
            ended(Outcome::Done, Measure::Nothing),
        ]);
        assert!(stats.next_flush(0.0).is_none());
    }
}
