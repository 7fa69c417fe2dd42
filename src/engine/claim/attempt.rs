//! One claim, from numbering it to turning the reply into jobs; repeated until Redis has answered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::engine::backoff::Backoff;
use crate::engine::state::Shared;
use crate::engine::state::touches::Look;
use crate::engine::sync::{Mutex, lock};
use crate::job::{Envelope, Job, Queue, Token};
use crate::store::{Claim, Claimed, Claims, Store, StoreError};

/// The most bytes one claim asks for.
const MOST_BYTES: usize = 4 << 20;

/// What all fetchers of a process share: claims carry a sequence number per holder, and a token is never issued twice.
pub(in crate::engine) struct ClaimSequence {
    epoch: u32,
    number: u64,
    next_token: u64,
}

impl ClaimSequence {
    pub(in crate::engine) fn new(epoch: u32) -> Self {
        Self {
            epoch,
            number: 0,
            next_token: 0,
        }
    }

    /// Numbers a claim of up to `limit` jobs under the lease of `epoch`. Numbering starts afresh with each lease: a
    /// claim under a lost one took either nothing or jobs that recovery moves back.
    fn number(&mut self, epoch: u32, limit: usize) -> (u64, u64) {
        if self.epoch != epoch {
            *self = Self::new(epoch);
        }
        let first_token = self.next_token;
        self.number += 1;
        self.next_token += limit as u64;
        (self.number, first_token)
    }
}

/// What a claim asks for.
pub(super) struct Attempt {
    pub(super) shared: Arc<Shared>,
    pub(super) store: Store,
    pub(super) sequence: Arc<Mutex<ClaimSequence>>,
    pub(super) limit: usize,
    pub(super) startable: usize,
    pub(super) parcel: usize,
    /// See [`Claim`].
    pub(super) large_in: Vec<usize>,
    /// In the order to look; shares are as in [`Claim`].
    pub(super) queues: Vec<Arc<Queue>>,
    /// Which queues these are.
    pub(super) look: Look,
    pub(super) shares: Vec<(usize, usize)>,
}

/// The result of a claim.
pub(super) struct Brought {
    pub(super) jobs: Vec<Arc<Job>>,
    pub(super) asked: usize,
    pub(super) look: Look,
    pub(super) queues: Vec<Arc<Queue>>,
    pub(super) elapsed: Duration,
    /// An empty result does not mean that there are no jobs: see [`Claims`].
    pub(super) held_back: bool,
    pub(super) late: bool,
    pub(super) passed_over: Vec<Arc<Queue>>,
}

impl Attempt {
    pub(super) async fn run(self) -> Brought {
        let sent = Instant::now();
        let shared = Arc::clone(&self.shared);
        let mut attempts = shared.outages.attempts("claim jobs");
        let mut backoff = Backoff::default();
        let mut epoch = self.shared.tenure.epoch();
        let (mut number, mut first_token) = self.number(epoch);
        loop {
            let holder = self.shared.tenure.holder(epoch);
            let claim = Claim {
                holder: &holder,
                number,
                first_token,
                limit: self.limit,
                startable: self.startable,
                byte_limit: MOST_BYTES,
                parcel: self.parcel,
                large: self.shared.settings.shortcuts.large(),
                large_in: &self.large_in,
                queues: &self.queues,
                shares: &self.shares,
            };
            match self.store.claim(&claim).await {
                Ok(claims) => {
                    attempts.worked();
                    return self.brought(claims, epoch, sent.elapsed());
                }
                // The lease task takes a new one.
                Err(StoreError::LeaseLost) => self.shared.tenure.doubt(epoch),
                Err(error) => attempts.failed(&error),
            }
            backoff.wait().await;
            if self.shared.tenure.epoch() != epoch {
                epoch = self.shared.tenure.epoch();
                (number, first_token) = self.number(epoch);
            }
        }
    }

    fn number(&self, epoch: u32) -> (u64, u64) {
        lock(&self.sequence).number(epoch, self.limit)
    }

    fn brought(self, claims: Claims, epoch: u32, elapsed: Duration) -> Brought {
        let Claims {
            jobs,
            held_back,
            late,
            passed_over,
        } = claims;
        let job = |it: Claimed| {
            Arc::new(Job {
                token: Token(it.token),
                parcel: it.parcel,
                epoch,
                queue: Arc::clone(&self.queues[it.queue]),
                envelope: Envelope::read(&it.payload),
                payload: it.payload.into_boxed_slice(),
            })
        };
        let jobs = jobs.into_iter().map(job).collect();
        let passed_over = passed_over.into_iter();
        let passed_over = passed_over.map(|it| Arc::clone(&self.queues[it])).collect();
        Brought {
            asked: self.limit,
            look: self.look,
            queues: self.queues,
            elapsed,
            jobs,
            held_back,
            late,
            passed_over,
        }
    }
}
