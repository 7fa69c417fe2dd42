//! What becomes of claimed jobs. Every step depends on the job still being in the holder's table, and moves the
//! counters with it: repeated after a lost reply, it does and counts nothing.

use super::script::{ACKNOWLEDGE, Call, OPEN, SETTLE};
use super::{Store, StoreError, reply, writes};
use crate::dialect::{Note, Writes};
use crate::job::{Outcome, Parcel, Queue};

/// Seconds after a recovery during which claims take no more jobs than can start at once, and a trial is waited for.
pub(super) const SUSPICION: u32 = 300;

/// The way in which a job leaves its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// It never started, and goes back: of several, the oldest is popped next.
    Unstarted,
    /// It was interrupted, and goes back in the same order.
    CutOff,
    /// In any other way.
    Ended,
}

impl Leaving {
    /// The way in which a job with this outcome leaves.
    pub fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Returned => Self::Unstarted,
            Outcome::Interrupted => Self::CutOff,
            _ => Self::Ended,
        }
    }

    fn letter(self) -> char {
        match self {
            Self::Unstarted => 'b',
            Self::CutOff => 'i',
            Self::Ended => 'o',
        }
    }
}

/// One job and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Settlement<'a> {
    /// The token under which it was claimed.
    pub token: u64,
    /// The queue it was claimed from.
    pub queue: &'a Queue,
    /// The way in which it leaves.
    pub leaving: Leaving,
    /// What its dialect wants written.
    pub writes: Writes,
}

impl Store {
    /// Forgets jobs that succeeded, and counts those that were still the holder's in each of `counters` (of which only
    /// [`Note::Count`] is used, and its own number does not matter). None may be part of a parcel that was not opened.
    pub async fn acknowledge(
        &self,
        holder: &str,
        jobs: &[(u64, &Queue)],
        counters: &[Note],
    ) -> Result<usize, StoreError> {
        let mut name = Name::default();
        self.forget(holder, 0, jobs, counters, |call, (token, queue)| {
            call.arg(name.of(*token, queue));
        })
        .await
    }

    /// The same for parcels of which every job succeeded. Some may have been opened meanwhile.
    pub async fn acknowledge_parcels(
        &self,
        holder: &str,
        parcels: &[(Parcel, &Queue)],
        counters: &[Note],
    ) -> Result<usize, StoreError> {
        let count = parcels.len();
        self.forget(holder, count, parcels, counters, |call, (parcel, queue)| {
            call.arg(parcel_field(*parcel, queue));
        })
        .await
    }

    async fn forget<T>(
        &self,
        holder: &str,
        parcels: usize,
        what: &[T],
        counters: &[Note],
        mut name: impl FnMut(&mut Call, &T),
    ) -> Result<usize, StoreError> {
        if what.is_empty() {
            return Ok(0);
        }
        let mut call = Call::keys([self.names.inflight(holder)]);
        call.arg(parcels);
        for counter in counters {
            if let Note::Count { key, expiry, .. } = counter {
                call.push_key(key.clone());
                call.arg(expiry.unwrap_or(0));
            }
        }
        for it in what {
            name(&mut call, it);
        }
        let removed = reply::integer(&self.link.script(&ACKNOWLEDGE, &call).await?)?;
        usize::try_from(removed).map_err(|_| StoreError::unexpected(removed))
    }

    /// Splits parcels into single jobs, so that they can be settled one by one.
    pub async fn open_parcels(
        &self,
        holder: &str,
        parcels: &[(Parcel, &Queue)],
    ) -> Result<(), StoreError> {
        let mut call = Call::keys([self.names.inflight(holder)]);
        for (parcel, queue) in parcels {
            call.arg(parcel_field(*parcel, queue));
        }
        self.link.script(&OPEN, &call).await.map(drop)
    }

    /// Carries out what became of jobs, given in the order of their claim; returns for each whether it was still the
    /// holder's.
    pub async fn settle(
        &self,
        holder: &str,
        settlements: &[Settlement<'_>],
    ) -> Result<Vec<bool>, StoreError> {
        let mut name = Name::default();
        let leaving = settlements.iter().map(|it| {
            let field = name.of(it.token, it.queue).to_owned();
            (field, it.leaving, &it.writes)
        });
        let leaving: Vec<_> = leaving.collect();
        self.leave(holder, &leaving).await
    }

    /// The same by the jobs' fields in the table.
    pub(super) async fn leave(
        &self,
        holder: &str,
        jobs: &[(String, Leaving, &Writes)],
    ) -> Result<Vec<bool>, StoreError> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let mut call = Call::keys([self.names.inflight(holder), self.names.trials()]);
        call.arg(SUSPICION);
        for (field, leaving, its_writes) in jobs {
            call.arg(field).arg(leaving.letter().to_string());
            writes::push(&mut call, its_writes);
        }
        let reply = self.link.script(&SETTLE, &call).await?;
        self.flags_and_trim(reply, jobs.len())
    }
}

/// The field of a parcel in the in-flight table.
fn parcel_field(parcel: Parcel, queue: &Queue) -> String {
    format!("{}+{}:{}", parcel.first.0, parcel.count, queue.key)
}

/// Writes the field of a job in the in-flight table, reusing the same buffer.
#[derive(Default)]
pub(super) struct Name(String);

impl Name {
    pub(super) fn of(&mut self, token: u64, queue: &Queue) -> &str {
        use std::fmt::Write as _;
        self.0.clear();
        // Writing to a String cannot fail.
        let _ = write!(self.0, "{token}:{}", queue.key);
        &self.0
    }
}
