//! Which outcomes share a call, and in which order the calls are made.

use crate::engine::state::settlements::BATCH;
use crate::job::{Ended, Outcome};

/// How many bytes of payload one call moves, so that Redis and this thread have time for others in between.
const BATCH_BYTES: usize = 4 << 20;

/// Outcomes that may share a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    Acknowledge,
    Return,
    Settle,
}

pub(super) fn way(outcome: &Outcome) -> Way {
    match outcome {
        Outcome::Done => Way::Acknowledge,
        Outcome::Returned => Way::Return,
        _ => Way::Settle,
    }
}

/// The calls, in order, each of one lease and one [`Way`]; none is empty. What was interrupted goes back after what never
/// started, so that it is popped first.
pub(super) fn in_order(ended: &mut [Ended]) -> Vec<&[Ended]> {
    let kind = |it: &Ended| (it.job.epoch, way(&it.outcome), dialect_to_count(it));
    ended.sort_by_key(kind);
    let mut calls = Vec::new();
    for alike in ended.chunk_by(|a, b| kind(a) == kind(b)) {
        match way(&alike[0].outcome) {
            Way::Acknowledge => calls.extend(alike.chunks(BATCH)),
            // The youngest first, so that the oldest ends up as the next to be popped.
            Way::Return => calls.extend(bounded(alike).into_iter().rev()),
            Way::Settle => calls.extend(bounded(alike)),
        }
    }
    calls
}

/// Whose counters an acknowledgement moves; the other calls write for each job what its dialect says.
fn dialect_to_count(ended: &Ended) -> Option<usize> {
    (way(&ended.outcome) == Way::Acknowledge).then_some(ended.job.queue.dialect)
}

/// In parts of which each is a call.
fn bounded(jobs: &[Ended]) -> Vec<&[Ended]> {
    let (mut count, mut bytes) = (0, 0);
    let fits = |before: &Ended, next: &Ended| {
        count += 1;
        bytes += before.job.payload.len();
        let fits = count < BATCH && bytes + next.job.payload.len() <= BATCH_BYTES;
        if !fits {
            (count, bytes) = (0, 0);
        }
        fits
    };
    jobs.chunk_by(fits).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::job::{Job, Measure, Queue, Token};

    fn ended(token: u64, epoch: u32, bytes: usize, outcome: Outcome) -> Ended {
        let job = Job {
            token: Token(token),
            parcel: None,
            epoch,
            queue: Queue::named("low"),
            payload: vec![b' '; bytes].into(),
            envelope: None,
        };
        Ended {
            job: Arc::new(job),
            outcome,
            elapsed: None,
            measure: Measure::Nothing,
        }
    }

    fn tokens(mut ended: Vec<Ended>) -> Vec<Vec<u64>> {
        let calls = in_order(&mut ended).into_iter();
        calls
            .map(|call| call.iter().map(|it| it.job.token.0).collect())
            .collect()
    }

    #[test]
    fn alike_share_a_call_however_they_are_mixed_and_each_lease_has_its_own() {
        let calls = tokens(vec![
            ended(1, 2, 1, Outcome::Done),
            ended(2, 1, 1, Outcome::Interrupted),
            ended(3, 1, 1, Outcome::Returned),
            ended(4, 1, 1, Outcome::Done),
            ended(5, 1, 1, Outcome::Failed),
            ended(6, 1, 1, Outcome::Done),
            ended(7, 1, 1, Outcome::Returned),
        ]);
        assert_eq!(calls, [vec![4, 6], vec![3, 7], vec![2, 5], vec![1]]);
    }

    #[test]
    fn what_goes_back_goes_youngest_first_in_parts() {
        let third = BATCH_BYTES / 3 + 1;
        let back = |n| ended(n, 1, third, Outcome::Returned);
        let calls = tokens((1..=5).map(back).collect());
        assert_eq!(calls, [vec![5], vec![3, 4], vec![1, 2]]);
        let kept = |n| ended(n, 1, third, Outcome::Malformed);
        let calls = tokens((1..=5).map(kept).collect());
        assert_eq!(calls, [vec![1, 2], vec![3, 4], vec![5]]);
    }

    #[test]
    fn one_that_is_larger_than_a_call_goes_alone_and_none_has_too_many() {
        let sizes = [1, BATCH_BYTES + 1, 1];
        let jobs = sizes.into_iter().zip(1..);
        let jobs = jobs.map(|(bytes, n)| ended(n, 1, bytes, Outcome::Failed));
        assert_eq!(tokens(jobs.collect()), [vec![1], vec![2], vec![3]]);
        let many = (0..=BATCH as u64).map(|n| ended(n, 1, 0, Outcome::Failed));
        let lengths: Vec<_> = tokens(many.collect()).iter().map(Vec::len).collect();
        assert_eq!(lengths, [BATCH, 1]);
    }
}
