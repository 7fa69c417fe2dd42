//! What becomes of claimed jobs. Every step is bound to the job still being in the holder's table,
//! and moves the counters with it: repeated after a lost reply, it does and counts nothing.

use super::script::{ACKNOWLEDGE, Call, SETTLE};
use super::{Store, StoreError, reply};

/// Sidekiq keeps the counters of a day for five years.
const DAY_EXPIRY: u32 = 157_680_000;

/// What became of a job.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It raised, and nothing is to be stored: counted as processed and failed.
    Failed,
    /// It was left out on purpose, and nothing is to be stored: counted as processed.
    Skipped,
    /// It raised and is to run again: counted as processed and failed.
    Retry {
        /// When, in seconds since the epoch.
        score: f64,
        /// What goes to the retry set.
        payload: Vec<u8>,
    },
    /// It raised for the last time: counted as processed and failed.
    Dead {
        /// What goes to the dead set.
        payload: Vec<u8>,
    },
    /// Cut off by the shutdown: back as it was, to be popped next; counted as processed and failed.
    Interrupted,
    /// Never started: back as it was, to be popped next; not counted.
    Returned,
    /// Not JSON that can be run: as it was to the dead set; not counted.
    Malformed,
    /// An iteration that stopped: to the back of its queue; counted as processed and failed.
    Requeued {
        /// What goes to the queue.
        payload: Vec<u8>,
    },
    /// Passed on to another queue, to its back; not counted.
    Moved {
        /// What goes to the queue.
        payload: Vec<u8>,
        /// Bare name of the queue.
        to_queue: String,
    },
}

/// One job and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Settlement<'a> {
    /// The token under which it was claimed.
    pub token: u64,
    /// Bare name of the queue it was claimed from.
    pub queue: &'a str,
    /// What became of it.
    pub outcome: Outcome,
}

impl Store {
    /// Forgets jobs that succeeded, and counts those that were still the holder's. `day` is the UTC
    /// date, `YYYY-MM-DD`.
    pub async fn acknowledge(
        &self,
        holder: &str,
        jobs: &[(u64, &str)],
        day: &str,
    ) -> Result<usize, StoreError> {
        if jobs.is_empty() {
            return Ok(0);
        }
        let mut call = Call::keys([
            self.keys.inflight(holder),
            self.keys.stat_processed(),
            self.keys.stat_processed_on(day),
        ]);
        call.arg(DAY_EXPIRY);
        let mut field = String::new();
        for (token, queue) in jobs {
            name(&mut field, *token, queue);
            call.arg(&field);
        }
        let removed = reply::integer(&self.link.script(&ACKNOWLEDGE, &call).await?)?;
        usize::try_from(removed).map_err(|_| StoreError::unexpected(removed))
    }

    /// Carries out what became of jobs, given in the order of their claim; says of each whether it
    /// was still the holder's. `now` is in seconds since the epoch, `day` as in `acknowledge`.
    pub async fn settle(
        &self,
        holder: &str,
        settlements: &[Settlement<'_>],
        now: f64,
        day: &str,
    ) -> Result<Vec<bool>, StoreError> {
        if settlements.is_empty() {
            return Ok(Vec::new());
        }
        let mut call = Call::keys([
            self.keys.inflight(holder),
            self.keys.retry(),
            self.keys.dead(),
            self.keys.queues(),
            self.keys.stat_processed(),
            self.keys.stat_processed_on(day),
            self.keys.stat_failed(),
            self.keys.stat_failed_on(day),
        ]);
        call.arg(&self.trim(now)).arg(DAY_EXPIRY);
        let mut field = String::new();
        for settlement in settlements {
            name(&mut field, settlement.token, settlement.queue);
            let (op, queue, score, payload): (_, Option<&str>, f64, &[u8]) =
                match &settlement.outcome {
                    Outcome::Failed => ("f", None, 0.0, b""),
                    Outcome::Skipped => ("s", None, 0.0, b""),
                    Outcome::Retry { score, payload } => ("r", None, *score, payload),
                    Outcome::Dead { payload } => ("d", None, 0.0, payload),
                    Outcome::Interrupted => ("i", Some(settlement.queue), 0.0, b""),
                    Outcome::Returned => ("b", Some(settlement.queue), 0.0, b""),
                    Outcome::Malformed => ("m", None, 0.0, b""),
                    Outcome::Requeued { payload } => ("q", Some(settlement.queue), 0.0, payload),
                    Outcome::Moved { payload, to_queue } => ("v", Some(to_queue), 0.0, payload),
                };
            let key = queue.map_or(0, |queue| call.key(self.keys.queue(queue)));
            call.arg(&field)
                .arg(op)
                .arg(key)
                .arg(queue.unwrap_or_default())
                .arg(score.to_string())
                .arg(payload);
        }
        reply::flags(self.link.script(&SETTLE, &call).await?, settlements.len())
    }
}

/// The field of a job in the in-flight table.
fn name(field: &mut String, token: u64, queue: &str) {
    use std::fmt::Write as _;
    field.clear();
    // Writing to a String cannot fail.
    let _ = write!(field, "{token}:{queue}");
}
