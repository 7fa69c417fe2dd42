//! Claims that have been sent and not answered. Knows nothing of their contents.

use std::collections::VecDeque;
use std::pin::Pin;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesOrdered;

use super::attempt::Brought;
use crate::engine::ready::WORTH_A_TRIP;

/// The most claims under way at once. While one reply is on its way back, Redis executes the next claim, and a third
/// reply is read here.
const MOST_UNDER_WAY: usize = 5;
/// A claim under way for longer than this is not on an ordinary trip.
const HELD_UP: Duration = Duration::from_millis(100);

/// Claims that Redis has not answered yet, in the order in which they were sent.
pub(super) struct Pipeline {
    claims: FuturesOrdered<Pin<Box<dyn Future<Output = Brought>>>>,
    sent: VecDeque<Instant>,
    /// How many jobs they ask for in total.
    pub(super) jobs: usize,
    /// How many may be under way: one more after each that asked for [`WORTH_A_TRIP`] or more and got them, and only
    /// one after any other. Not all at once: Redis sends the replies to what it finds on a connection only when it has
    /// executed all of it.
    most: usize,
}

impl Default for Pipeline {
    fn default() -> Self {
        Self {
            claims: FuturesOrdered::new(),
            sent: VecDeque::new(),
            jobs: 0,
            most: 1,
        }
    }
}

impl Pipeline {
    pub(super) fn is_empty(&self) -> bool {
        self.claims.is_empty()
    }

    /// A claim is sent before the last one is answered only where there are more jobs than that one can bring.
    /// Otherwise the second would ask an empty queue, or take along bystanders of a job that kills. Nor is one sent
    /// behind a claim that is held up, since what it brought would have to wait for that.
    pub(super) fn may_be_more(&self) -> bool {
        let in_time = |oldest: &Instant| oldest.elapsed() < HELD_UP;
        self.sent.len() < self.most && self.sent.front().is_some_and(in_time)
    }

    /// Whether to send a claim for this many jobs now.
    pub(super) fn allows(&self, want: usize) -> bool {
        if self.is_empty() {
            want > 0
        } else {
            want >= WORTH_A_TRIP && self.may_be_more()
        }
    }

    /// `claim` asks for up to `jobs` jobs.
    pub(super) fn send(&mut self, jobs: usize, claim: impl Future<Output = Brought> + 'static) {
        self.sent.push_back(Instant::now());
        self.jobs += jobs;
        self.claims.push_back(Box::pin(claim));
    }

    /// `None` if none is under way.
    pub(super) async fn next(&mut self) -> Option<Brought> {
        let brought = self.claims.next().await?;
        self.sent.pop_front();
        self.jobs -= brought.asked;
        let plenty = brought.asked >= WORTH_A_TRIP && brought.jobs.len() == brought.asked;
        self.most = if plenty {
            (self.most + 1).min(MOST_UNDER_WAY)
        } else {
            1
        };
        Some(brought)
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    fn brought(asked: usize, jobs: usize) -> Brought {
        let job = || crate::job::Job {
            token: crate::job::Token(0),
            parcel: None,
            epoch: 1,
            queue: crate::job::Queue::named("default"),
            payload: Box::default(),
            envelope: None,
        };
        Brought {
            jobs: (0..jobs).map(|_| job().into()).collect(),
            asked,
            look: crate::engine::state::touches::Look::default(),
            queues: Vec::new(),
            elapsed: Duration::ZERO,
            held_back: false,
            late: false,
            passed_over: Vec::new(),
        }
    }

    #[tokio::test]
    async fn only_where_there_is_plenty_another_is_sent_before_the_answer() {
        let mut pipeline = Pipeline::default();
        assert!(pipeline.allows(1) && !pipeline.allows(0));
        // One more after each full claim, up to five.
        for most in 1..=MOST_UNDER_WAY {
            while pipeline.sent.len() < most {
                let first = pipeline.is_empty();
                assert!(pipeline.allows(WORTH_A_TRIP), "{most}");
                assert_eq!(pipeline.allows(WORTH_A_TRIP - 1), first);
                pipeline.send(1_000, ready(brought(1_000, 1_000)));
            }
            assert!(!pipeline.allows(1_000));
            assert_eq!(pipeline.next().await.expect("one").jobs.len(), 1_000);
        }
        pipeline.send(1_000, ready(brought(1_000, 999)));
        assert!(!pipeline.allows(1_000));
        assert_eq!(pipeline.jobs, 5_000);

        // Until one is not full.
        while pipeline.sent.len() > 1 {
            pipeline.next().await.expect("one of five");
        }
        assert!(pipeline.allows(1_000));
        while pipeline.next().await.is_some() {}
        assert!(pipeline.is_empty() && pipeline.jobs == 0 && pipeline.allows(1));
        pipeline.send(1_000, pending());
        assert!(!pipeline.allows(1_000));
    }

    #[tokio::test]
    async fn none_is_sent_behind_one_that_is_held_up() {
        let mut pipeline = Pipeline {
            most: MOST_UNDER_WAY,
            ..Pipeline::default()
        };
        pipeline.send(1_000, pending());
        assert!(pipeline.allows(1_000));
        pipeline.sent[0] -= HELD_UP;
        assert!(!pipeline.allows(1_000));
    }
}
