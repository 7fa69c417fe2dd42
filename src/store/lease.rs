//! Leases, and the recovery of jobs whose holder let its lease expire.

use std::time::Duration;

use redis::Value;

use super::script::{Call, EXPIRE, LEASE, RECOVER};
use super::settle::{Leaving, SUSPICION};
use super::{Store, StoreError, reply};
use crate::dialect::{Note, Writes};

/// How long recoveries of a job are remembered: three days after the last one.
const RECOVERY_MEMORY: u32 = 72 * 3600;

/// How many leases one look returns: with more processes than that, a dead one is noticed once its lease has become one
/// of those that end first.
const LEASES: usize = 128;

/// The longest time for which a lease is taken.
pub const LONGEST_LEASE: Duration = Duration::from_secs(300);

/// A lease as it stands in Redis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Who holds it.
    pub holder: String,
    /// When it ends by Redis's clock, as Redis's own text, which differs after each renewal.
    pub ends: String,
    /// How long it had left when it was seen.
    pub left: Duration,
}

/// What [`Store::look_at_leases`] saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leases {
    /// The dead holders whose jobs wait for [`Store::recover`], longest waiting first; not all, if there are many.
    pub orphans: Vec<String>,
    /// The leases that end first.
    pub held: Vec<Lease>,
}

/// A poison pill that was sent to the dead set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buried {
    /// The key of its queue.
    pub queue: String,
    /// The bytes as they were in the queue.
    pub payload: Vec<u8>,
}

/// What one round of recovery did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Jobs put back into their queues.
    pub requeued: usize,
    /// Jobs that had been recovered too often.
    pub buried: Vec<Buried>,
    /// Whether nothing is left of the holder.
    pub done: bool,
}

impl Store {
    /// Takes a lease, or extends it; `false` when others already treat the holder as dead.
    pub async fn take_lease(&self, holder: &str, ttl: Duration) -> Result<bool, StoreError> {
        Ok(self.lease("take", holder, ttl).await? == 1)
    }

    /// Extends a lease, even one that has ended but that nobody took over; `false` when it is lost.
    pub async fn renew_lease(&self, holder: &str, ttl: Duration) -> Result<bool, StoreError> {
        Ok(self.lease("renew", holder, ttl).await? == 1)
    }

    /// Gives the lease up when no job is in flight under it, and returns how many are.
    pub async fn release_lease(&self, holder: &str) -> Result<usize, StoreError> {
        let left = self.lease("release", holder, Duration::ZERO).await?;
        usize::try_from(left).map_err(|_| StoreError::unexpected(left))
    }

    /// Declares a holder dead without waiting for its lease to end: for a parent whose child died. `false` when it held
    /// nothing.
    pub async fn abandon(&self, holder: &str) -> Result<bool, StoreError> {
        Ok(self.lease("abandon", holder, Duration::ZERO).await? == 1)
    }

    async fn lease(&self, action: &str, holder: &str, ttl: Duration) -> Result<i64, StoreError> {
        let mut call = Call::keys([
            self.names.leases(),
            self.names.orphans(),
            self.names.inflight(holder),
        ]);
        call.arg(action)
            .arg(holder)
            .arg(ttl.as_secs_f64().to_string());
        reply::integer(&self.pulse.script(&LEASE, &call).await?)
    }

    /// Declares the holders of `overdue` dead, each only if its lease has ended, or lasts longer than any can, and was
    /// not renewed since it was seen. Returns the leases that there are, and at most `orphans` orphans.
    pub async fn look_at_leases(
        &self,
        overdue: &[Lease],
        orphans: usize,
    ) -> Result<Leases, StoreError> {
        let mut call = Call::keys([self.names.leases(), self.names.orphans()]);
        call.arg(orphans.max(1))
            .arg(LEASES)
            .arg(LONGEST_LEASE.as_secs());
        for lease in overdue {
            call.arg(&lease.holder).arg(&lease.ends);
        }
        let mut parts = reply::array(self.link.script(&EXPIRE, &call).await?)?.into_iter();
        let mut next = || parts.next().unwrap_or(Value::Nil);
        let (orphans, held) = (reply::texts(next())?, reply::texts(next())?);
        let now = seconds(&reply::text(next())?);
        let mut held = held.into_iter();
        let pairs = std::iter::from_fn(|| {
            let (holder, ends) = (held.next()?, held.next()?);
            let left = (seconds(&ends) - now).clamp(0.0, LONGEST_LEASE.as_secs_f64());
            let left = Duration::try_from_secs_f64(left).unwrap_or_default();
            Some(Lease { holder, ends, left })
        });
        Ok(Leases {
            orphans,
            held: pairs.collect(),
        })
    }

    /// Puts some jobs of a dead holder back. A job to which this happens for the `poison_after`th time, the last of
    /// them as its process's only one, is left to `poison` instead: given the key of its queue and the payload, it
    /// returns what to write, or nothing if it does not know that queue. Call it until it is done; several processes
    /// may do so at once.
    pub async fn recover(
        &self,
        holder: &str,
        max_jobs: usize,
        max_bytes: usize,
        poison_after: u32,
        poison: impl Fn(&str, &[u8]) -> Option<Writes>,
    ) -> Result<Recovered, StoreError> {
        let mut call = Call::keys([
            self.names.inflight(holder),
            self.names.orphans(),
            self.names.suspects(),
            self.names.trials(),
        ]);
        call.arg(holder)
            .arg(max_jobs.clamp(1, 1000))
            .arg(max_bytes)
            .arg(poison_after)
            .arg(self.names.recovered(""))
            .arg(RECOVERY_MEMORY)
            .arg(SUSPICION);
        for family in &*self.families {
            call.push_key(family.registry.clone());
            call.arg(&family.prefix)
                .arg(family.pop.letter().to_string());
        }
        let mut parts = reply::array(self.link.script(&RECOVER, &call).await?)?.into_iter();
        let mut number = || parts.next().as_ref().map_or(Ok(0), reply::integer);
        let (done, requeued) = (number()? == 1, number()?.unsigned_abs());
        let pills: Vec<Value> = parts.collect();
        Ok(Recovered {
            requeued: usize::try_from(requeued).unwrap_or(usize::MAX),
            buried: self.bury(holder, pills, poison).await?,
            done,
        })
    }

    async fn bury(
        &self,
        holder: &str,
        pills: Vec<Value>,
        poison: impl Fn(&str, &[u8]) -> Option<Writes>,
    ) -> Result<Vec<Buried>, StoreError> {
        let (mut fields, mut all_writes, mut buried) = (Vec::new(), Vec::new(), Vec::new());
        let mut pills = pills.into_iter();
        while let (Some(field), Some(payload)) = (pills.next(), pills.next()) {
            let (field, payload) = (reply::text(field)?, reply::bytes(payload)?);
            let queue = field.split_once(':').map_or("", |(_, queue)| queue);
            let queue = queue.to_owned();
            let Some(mut writes) = poison(&queue, &payload) else {
                continue;
            };
            writes.notes.push(Note::Delete {
                key: self.names.recovered(&sha1(&payload)),
            });
            fields.push(field);
            all_writes.push(writes);
            buried.push(Buried { queue, payload });
        }
        let leaving = fields.into_iter().zip(&all_writes);
        let leaving: Vec<_> = leaving
            .map(|(field, writes)| (field, Leaving::Ended, writes))
            .collect();
        let mut mine = self.leave(holder, &leaving).await?.into_iter();
        buried.retain(|_| mine.next().unwrap_or(false));
        Ok(buried)
    }
}

/// A time by Redis's clock. Text that is no number counts as long past.
fn seconds(text: &str) -> f64 {
    text.parse().unwrap_or_default()
}

/// The same as Redis's own `sha1hex`.
fn sha1(bytes: &[u8]) -> String {
    sha1_smol::Sha1::from(bytes).digest().to_string()
}
