//! How a job ended, from the worker that hands it in to the script that carries it out.

use std::sync::Arc;

use super::Job;

/// What is to become of a job that a worker took. Counters and metrics follow from it.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// `perform` returned.
    Done,
    /// It raised and is not kept: `retry: false`, discarded, or Ruby raised `Skip`.
    Failed,
    /// It raised and is to run again.
    Retry {
        /// When, in epoch seconds.
        at: f64,
        /// The payload with its failure written in.
        payload: Vec<u8>,
    },
    /// It raised for the last time.
    Dead {
        /// The payload with its failure written in.
        payload: Vec<u8>,
    },
    /// Shutdown interrupted it: back to the end of its queue from which jobs are popped.
    Interrupted,
    /// It gave way and goes on later (an iterable job): to the back of a queue.
    Requeued {
        /// The payload to put there.
        payload: Vec<u8>,
    },
    /// Not started: back to where it was, as if never taken.
    Returned,
    /// Not a job: the raw bytes go to the dead set.
    Malformed,
}

/// Whose execution metrics a job counts in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Those of the class that its envelope names.
    Class,
    /// Those of this class: only Ruby could read the payload.
    Named(String),
    /// Nobody's: it failed before there was anything to measure, for example because its class is missing.
    Nothing,
}

/// A job and its outcome, with what the statistics need.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The job.
    pub job: Arc<Job>,
    /// Its outcome.
    pub outcome: Outcome,
    /// How long it ran, in milliseconds; `None` if that is not to be recorded.
    pub elapsed: Option<f64>,
    /// Where it is measured.
    pub measure: Measure,
}
