//! Claims: moving jobs from their queues to their holder's in-flight table.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use redis::Value;
use rmp::decode::{read_array_len, read_str_len};

use super::script::{CAREFUL, CLAIM, Call, MOVE_UNREAD};
use super::{Store, StoreError, reply};
use crate::job::{Parcel, Queue, Token};

/// A request for jobs. Sent again with the same number, it yields the same jobs.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The holder of the lease under which the jobs are claimed.
    pub holder: &'a str,
    /// Grows with each new claim of this holder. A claim whose number is not above the last one executed takes nothing:
    /// so, of several under way at once, each can be repeated after a lost reply.
    pub number: u64,
    /// The first job's token; the others count up. Below 2^53, never used before by this holder.
    pub first_token: u64,
    /// The most jobs to take.
    pub limit: usize,
    /// The most jobs to take while some in the queues may have brought down a process (see recover.lua): as many as can
    /// start at once, so that one that does it again takes no bystanders along.
    pub startable: usize,
    /// The most bytes of payload, except that the first job is always taken.
    pub byte_limit: usize,
    /// The most jobs that may be in the in-flight table as one [`Parcel`]: cheaper if all of them are acknowledged at
    /// once. 0 for no parcels; the script takes up to 128 of one queue at a time.
    pub parcel: usize,
    /// From how many bytes on a payload is large: it then gets a list of its own beside the in-flight table (see
    /// large.lua), and arrives one round trip later. 0 if none is large; none is where the server cannot do that, or
    /// the user may not.
    pub large: usize,
    /// The queues, as indexes, whose next payload is probably large.
    pub large_in: &'a [usize],
    /// The queues, in the order to look.
    pub queues: &'a [Arc<Queue>],
    /// Jobs to take first: from which of the queues, and how many at most. What that leaves of the limit is taken in
    /// the queues' order.
    pub shares: &'a [(usize, usize)],
}

/// The result of a claim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// The jobs, in the order to run them.
    pub jobs: Vec<Claimed>,
    /// Jobs stay in their queues because this holder has one on trial (see careful.lua): no message will announce when
    /// they can be had.
    pub held_back: bool,
    /// Queues, as indexes into the request's, that were passed over because their key holds something other than a
    /// list.
    pub passed_over: Vec<usize>,
    /// A claim with a higher number was executed before: the queues were not looked at, perhaps not even earlier.
    pub late: bool,
}

impl std::ops::Deref for Claims {
    type Target = [Claimed];

    fn deref(&self) -> &Self::Target {
        &self.jobs
    }
}

impl IntoIterator for Claims {
    type Item = Claimed;
    type IntoIter = std::vec::IntoIter<Claimed>;

    fn into_iter(self) -> Self::IntoIter {
        self.jobs.into_iter()
    }
}

/// A claimed job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// Its name in the in-flight table.
    pub token: u64,
    /// The parcel that it is part of there, if any.
    pub parcel: Option<Parcel>,
    /// Where it came from, as an index into the request's queues.
    pub queue: usize,
    /// The bytes exactly as they were in the queue.
    pub payload: Vec<u8>,
}

impl Store {
    /// Takes jobs. [`StoreError::LeaseLost`] when the holder has no lease.
    pub async fn claim(&self, claim: &Claim<'_>) -> Result<Claims, StoreError> {
        if claim.limit == 0 {
            return Ok(Claims::default());
        }
        let large = if claim.large > 0 && self.can_move_unread().await? {
            claim.large
        } else {
            0
        };
        loop {
            let plain = self.plain_or_careful(claim, large, 0);
            let mut reply = self.link.script(&CLAIM, &plain).await?;
            if must_be_careful(&reply) {
                let careful = self.plain_or_careful(claim, 0, claim.startable.max(1));
                reply = self.link.script(&CAREFUL, &careful).await?;
            }
            let mut parts = reply::array(reply)?.into_iter();
            let kind = parts.next().as_ref().map(reply::integer).transpose()?;
            let mut fresh = match kind {
                Some(0 | 2) => fresh(claim, parts)?,
                Some(1 | 3) => Fresh::again(repeated(claim, parts)?),
                other => return Err(StoreError::unexpected(other)),
            };
            if !self.fetch_large(claim.holder, &mut fresh).await? {
                // Mostly because it was recovered meanwhile: a repetition then reports the lost lease.
                continue;
            }
            return Ok(Claims {
                jobs: fresh.jobs,
                held_back: kind == Some(2),
                passed_over: fresh.passed_over,
                late: kind == Some(3),
            });
        }
    }

    /// `startable` is 0 for a plain claim.
    fn plain_or_careful(&self, claim: &Claim<'_>, large: usize, startable: usize) -> Call {
        let mut call = Call::keys([
            self.names.inflight(claim.holder),
            self.names.leases(),
            (*self.paused).clone(),
            self.names.suspects(),
            self.names.trials(),
        ]);
        call.arg(claim.holder)
            .arg(claim.number)
            .arg(claim.first_token)
            .arg(claim.limit)
            .arg(claim.byte_limit)
            .arg(startable)
            .arg(claim.parcel)
            .arg(large)
            .arg(marks(claim))
            .arg(ends(claim));
        for queue in claim.queues {
            call.push_key(queue.key.clone());
            call.arg(&queue.paused_as);
        }
        for (queue, most) in claim.shares {
            call.arg(*queue).arg(*most);
        }
        call
    }

    /// Whether large payloads can be moved in the way of large.lua; asked once per connection. Before Redis 7, SORT
    /// walks through the whole list.
    async fn can_move_unread(&self) -> Result<bool, StoreError> {
        let connection_id = self.link.connection_id();
        let known = self.unread.load(Ordering::Relaxed);
        if known >> 1 == connection_id {
            return Ok(known & 1 == 1);
        }
        let recent = self.server().version.is_some_and(|it| it >= (7, 0, 0));
        let probe = format!("probe:{}", std::process::id());
        let call = Call::keys([0, 1].map(|token| self.names.large(&probe, token)));
        let works = if recent {
            match self.link.script(&MOVE_UNREAD, &call).await {
                Err(error @ StoreError::Unavailable(_)) => return Err(error),
                // The claim itself reports what is wrong, if anything is.
                answer => answer.is_ok_and(|it| it == Value::Int(1)),
            }
        } else {
            false
        };
        let noted = connection_id << 1 | u64::from(works);
        self.unread.store(noted, Ordering::Relaxed);
        Ok(works)
    }

    /// Fetches the payloads of the jobs that are `large`. `false` if one is gone.
    async fn fetch_large(&self, holder: &str, fresh: &mut Fresh) -> Result<bool, StoreError> {
        let Fresh { jobs, large, .. } = fresh;
        if large.is_empty() {
            return Ok(true);
        }
        let mut pipeline = redis::pipe();
        for at in &*large {
            let list = self.names.large(holder, jobs[*at].token);
            pipeline.cmd("LINDEX").arg(list).arg(0);
        }
        let payloads = self.link.pipeline(&pipeline).await?;
        if payloads.len() != large.len() {
            return Err(StoreError::unexpected(payloads.len()));
        }
        for (at, payload) in large.iter().zip(payloads) {
            if payload == Value::Nil {
                return Ok(false);
            }
            jobs[*at].payload = reply::bytes(payload)?;
        }
        Ok(true)
    }
}

/// Whether this is the reply of a plain claim that has done nothing.
fn must_be_careful(reply: &Value) -> bool {
    matches!(reply, Value::Array(parts) if parts[..] == [Value::Int(4)])
}

/// One digit per queue: 1 if its next payload is probably large.
fn marks(claim: &Claim<'_>) -> String {
    let mark = |queue| {
        if claim.large_in.contains(&queue) {
            '1'
        } else {
            '0'
        }
    };
    (0..claim.queues.len()).map(mark).collect()
}

/// One letter per queue: the end at which its next job is.
fn ends(claim: &Claim<'_>) -> String {
    claim.queues.iter().map(|it| it.pop.letter()).collect()
}

/// The result of a claim that was executed for the first time.
struct Fresh {
    jobs: Vec<Claimed>,
    /// The jobs, as indexes, whose payloads are yet to come.
    large: Vec<usize>,
    /// See [`Claims`].
    passed_over: Vec<usize>,
}

impl Fresh {
    fn again(jobs: Vec<Claimed>) -> Self {
        Self {
            jobs,
            large: Vec::new(),
            passed_over: Vec::new(),
        }
    }
}

fn fresh(claim: &Claim<'_>, mut parts: impl Iterator<Item = Value>) -> Result<Fresh, StoreError> {
    let mut jobs = Vec::with_capacity(claim.limit.min(1024));
    let (mut large, mut passed_over) = (Vec::new(), Vec::new());
    while let (Some(index), Some(payloads)) = (parts.next(), parts.next()) {
        let queue =
            usize::try_from(reply::integer(&index)?).map_err(|_| StoreError::unexpected(index))?;
        let first = claim.first_token + jobs.len() as u64;
        let (payloads, parcel) = match payloads {
            Value::BulkString(packed) => {
                let payloads = unpack(&packed)?;
                let count = payloads.len() as u32;
                let first = Token(first);
                (payloads, Some(Parcel { first, count }))
            }
            Value::Array(payloads) => {
                let payloads = payloads.into_iter().map(reply::bytes);
                (payloads.collect::<Result<_, _>>()?, None)
            }
            Value::Int(1) => {
                large.push(jobs.len());
                (vec![Vec::new()], None)
            }
            Value::Int(2) => {
                passed_over.push(queue);
                continue;
            }
            other => return Err(StoreError::unexpected(other)),
        };
        let claimed = |(token, payload)| Claimed {
            token,
            parcel,
            queue,
            payload,
        };
        jobs.extend((first..).zip(payloads).map(claimed));
    }
    Ok(Fresh {
        jobs,
        large,
        passed_over,
    })
}

/// The payloads of a parcel: a MessagePack array of strings, as Redis's `cmsgpack` writes it.
fn unpack(packed: &[u8]) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut rest = packed;
    let count = read_array_len(&mut rest).map_err(StoreError::unexpected)?;
    (0..count)
        .map(|_| {
            let length = read_str_len(&mut rest).map_err(StoreError::unexpected)?;
            let (payload, after) = rest
                .split_at_checked(length as usize)
                .ok_or_else(|| StoreError::unexpected("a parcel that ends early"))?;
            rest = after;
            Ok(payload.to_vec())
        })
        .collect()
}

fn repeated(
    claim: &Claim<'_>,
    mut parts: impl Iterator<Item = Value>,
) -> Result<Vec<Claimed>, StoreError> {
    let mut jobs = Vec::new();
    while let (Some(token), Some(queue), Some(payload)) = (parts.next(), parts.next(), parts.next())
    {
        let key = reply::text(queue)?;
        // The caller repeats its own request, so the key is among those it sent.
        let Some(queue) = claim.queues.iter().position(|queue| queue.key == key) else {
            return Err(StoreError::unexpected(key));
        };
        let token = reply::integer(&token)?.unsigned_abs();
        jobs.push(Claimed {
            token,
            parcel: None,
            queue,
            payload: reply::bytes(payload)?,
        });
    }
    Ok(jobs)
}
