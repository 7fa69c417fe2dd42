//! Where a worker takes a job that comes by hand-off, before the engine's thread is awake.

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::oneshot;

use super::ready::Door;
use super::settler::HandedOver;
use super::shared::{Phase, Shared};
use super::sync::{Mutex, lock};
use crate::job::{Envelope, Job, Queue, Token};
use crate::store::Tap;

/// What is known of a job before it comes. Whoever has the ticket when it does brings it in.
pub(super) struct Ticket {
    pub(super) epoch: u32,
    /// Index of the capsule.
    pub(super) capsule: usize,
    pub(super) queue: Arc<Queue>,
    /// Told once the job is in the in-flight table.
    pub(super) adopted: oneshot::Sender<()>,
}

impl Ticket {
    /// Makes the job of `payload`, and has the settler adopt it before anything else that concerns it.
    pub(super) fn admit(self, shared: &Shared, payload: Vec<u8>) -> Arc<Job> {
        let Self {
            epoch,
            capsule,
            queue,
            adopted,
        } = self;
        let envelope = Envelope::read(&payload);
        let job = shared.settlements.hand_over(|token| {
            let job = Arc::new(Job {
                token: Token(token),
                parcel: None,
                epoch,
                queue,
                envelope,
                payload: payload.into_boxed_slice(),
            });
            HandedOver { job, adopted }
        });
        shared.capsules[capsule]
            .handed_over
            .fetch_add(1, Ordering::Relaxed);
        // If it cannot start, the fetcher gives it back.
        shared.capsules[capsule].hungry.notify_one();
        job
    }
}

/// One per connection; shut unless a job is waited for.
pub(super) struct Hatch {
    pub(super) tap: Arc<Tap>,
    shared: Arc<Shared>,
    ticket: Mutex<Option<Ticket>>,
}

impl Hatch {
    pub(super) fn new(tap: &Arc<Tap>, shared: &Arc<Shared>) -> Self {
        Self {
            tap: Arc::clone(tap),
            shared: Arc::clone(shared),
            ticket: Mutex::new(None),
        }
    }

    /// Before the waiting begins.
    pub(super) fn open(&self, ticket: Ticket) {
        *lock(&self.ticket) = Some(ticket);
    }

    /// After it. `None` when a worker has taken the job.
    pub(super) fn shut(&self) -> Option<Ticket> {
        lock(&self.ticket).take()
    }
}

impl Door<Arc<Job>> for Hatch {
    fn socket(&self) -> BorrowedFd<'_> {
        self.tap.socket()
    }

    /// Pushes under the lock: once the engine finds the ticket gone, the job lies where it looks for jobs to return.
    fn take(&self, push: &mut dyn FnMut(Arc<Job>)) {
        let mut place = lock(&self.ticket);
        let epoch = place.as_ref().map(|it| it.epoch);
        // The engine knows what else is to be done then.
        if epoch != Some(self.shared.epoch()) || self.shared.phase() != Phase::Running {
            return;
        }
        let Some(payload) = self.tap.take() else {
            return;
        };
        if let Some(ticket) = place.take() {
            push(ticket.admit(&self.shared, payload));
        }
    }
}
