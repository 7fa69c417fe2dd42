//! What becomes of claimed jobs. Every step is bound to the job still being in the holder's table,
//! and moves the counters with it: repeated after a lost reply, it does and counts nothing.

use super::lease::SUSPICION;
use super::script::{ACKNOWLEDGE, Call, OPEN, SETTLE};
use super::{Store, StoreError, reply};
use crate::job::Parcel;

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
    /// Forgets jobs that succeeded, and counts those that were still the holder's. None may be part of a
    /// parcel that was not opened. `day` is the UTC date, `YYYY-MM-DD`.
    pub async fn acknowledge(
        &self,
        holder: &str,
        jobs: &[(u64, &str)],
        day: &str,
    ) -> Result<usize, StoreError> {
        let mut name = Name::default();
        self.forget(holder, 0, jobs, day, |call, (token, queue)| {
            call.arg(name.of(*token, queue));
        })
        .await
    }

    /// The same for parcels of which every job succeeded. One may have been opened meanwhile.
    pub async fn acknowledge_parcels(
        &self,
        holder: &str,
        parcels: &[(Parcel, &str)],
        day: &str,
    ) -> Result<usize, StoreError> {
        self.forget(
            holder,
            parcels.len(),
            parcels,
            day,
            |call, (parcel, queue)| {
                call.arg(parcel_field(*parcel, queue));
            },
        )
        .await
    }

    async fn forget<T>(
        &self,
        holder: &str,
        parcels: usize,
        what: &[T],
        day: &str,
        mut name: impl FnMut(&mut Call, &T),
    ) -> Result<usize, StoreError> {
        if what.is_empty() {
            return Ok(0);
        }
        let mut call = Call::keys([
            self.keys.inflight(holder),
            self.keys.stat_processed(),
            self.keys.stat_processed_on(day),
        ]);
        call.arg(DAY_EXPIRY).arg(parcels);
        for it in what {
            name(&mut call, it);
        }
        let removed = reply::integer(&self.link.script(&ACKNOWLEDGE, &call).await?)?;
        usize::try_from(removed).map_err(|_| StoreError::unexpected(removed))
    }

    /// Makes single jobs of parcels, so that they can be settled one by one.
    pub async fn open_parcels(
        &self,
        holder: &str,
        parcels: &[(Parcel, &str)],
    ) -> Result<(), StoreError> {
        let mut call = Call::keys([self.keys.inflight(holder)]);
        for (parcel, queue) in parcels {
            call.arg(parcel_field(*parcel, queue));
        }
        self.link.script(&OPEN, &call).await.map(drop)
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
            self.keys.trials(),
        ]);
        call.arg(&self.trim(now)).arg(DAY_EXPIRY).arg(SUSPICION);
        let mut name = Name::default();
        for settlement in settlements {
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
            call.arg(name.of(settlement.token, settlement.queue))
                .arg(op)
                .arg(key)
                .arg(queue.unwrap_or_default())
                .arg(score.to_string())
                .arg(payload);
        }
        let reply = self.link.script(&SETTLE, &call).await?;
        self.flags_and_trim(reply, settlements.len())
    }
}

/// The field of a parcel in the in-flight table.
fn parcel_field(parcel: Parcel, queue: &str) -> String {
    format!("{}+{}:{queue}", parcel.first.0, parcel.count)
}

/// Writes the field of a job in the in-flight table, again and again into the same buffer.
#[derive(Default)]
pub(super) struct Name(String);

impl Name {
    pub(super) fn of(&mut self, token: u64, queue: &str) -> &str {
        use std::fmt::Write as _;
        self.0.clear();
        // Writing to a String cannot fail.
        let _ = write!(self.0, "{token}:{queue}");
        &self.0
    }
}
