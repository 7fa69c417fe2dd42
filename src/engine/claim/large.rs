//! Predicts at which queues the next job has a large payload, so that Redis need not inspect the payload before moving
//! it. A wrong guess costs a small payload an extra list and a round trip.

use std::collections::HashSet;
use std::sync::Arc;

use crate::engine::shortcuts::LARGE;
use crate::job::{Job, Queue};

/// The queues whose last claimed job was large.
#[derive(Default)]
pub(in crate::engine) struct LargeIn(HashSet<Arc<Queue>>);

impl LargeIn {
    /// Learns from the jobs that a claim brought.
    pub(super) fn learn(&mut self, jobs: &[Arc<Job>]) {
        for of_one_queue in jobs.chunk_by(|a, b| Arc::ptr_eq(&a.queue, &b.queue)) {
            let Some(last) = of_one_queue.last() else {
                continue;
            };
            if last.payload.len() < LARGE {
                self.0.remove(&last.queue);
            } else if !self.0.contains(&last.queue) {
                self.0.insert(Arc::clone(&last.queue));
            }
        }
    }

    /// Which of `queues` are expected to have a large one next, as indexes.
    pub(super) fn among(&self, queues: &[Arc<Queue>]) -> Vec<usize> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let large = |(_, queue): &(usize, &Arc<Queue>)| self.0.contains(*queue);
        queues
            .iter()
            .enumerate()
            .filter(large)
            .map(|it| it.0)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Token;

    #[test]
    fn the_last_job_of_a_queue_says_what_the_next_one_is() {
        let queues: [Arc<Queue>; 2] = ["low", "high"].map(Queue::named);
        let job = |queue: usize, bytes| {
            Arc::new(Job {
                token: Token(0),
                parcel: None,
                epoch: 1,
                queue: Arc::clone(&queues[queue]),
                payload: vec![b' '; bytes].into(),
                envelope: None,
            })
        };
        let mut large_in = LargeIn::default();
        large_in.learn(&[job(1, 10), job(1, LARGE), job(0, LARGE), job(0, LARGE - 1)]);
        assert_eq!(large_in.among(&queues), [1]);
        large_in.learn(&[job(0, 2 * LARGE)]);
        assert_eq!(large_in.among(&queues), [0, 1]);
        large_in.learn(&[job(1, 0)]);
        assert_eq!(large_in.among(&queues), [0]);
        assert_eq!(large_in.among(&queues[1..]), [0; 0]);
    }
}
