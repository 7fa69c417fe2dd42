//! Where a worker takes a job that comes by hand-off, before the engine's thread is awake.

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::oneshot;

use crate::engine::ready::WakeSource;
use crate::engine::state::settlements::HandedOver;
use crate::engine::state::{Phase, Shared};
use crate::engine::sync::{Mutex, lock};
use crate::job::{Envelope, Job, Queue, Token};
use crate::store::Tap;

/// What is known of a job before it comes. Whoever has the ticket when it does brings it in.
pub(in crate::engine) struct PendingPop {
    pub(in crate::engine) epoch: u32,
    /// Index of the capsule.
    pub(in crate::engine) capsule: usize,
    pub(in crate::engine) queue: Arc<Queue>,
    /// Told once the job is in the in-flight table.
    pub(in crate::engine) adopted: oneshot::Sender<()>,
}

impl PendingPop {
    /// Makes the job of `payload`, and has the settler adopt it before anything else that concerns it.
    pub(in crate::engine) fn admit(self, shared: &Shared, payload: Vec<u8>) -> Arc<Job> {
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
pub(in crate::engine) struct DirectTake {
    pub(in crate::engine) tap: Arc<Tap>,
    shared: Arc<Shared>,
    ticket: Mutex<Option<PendingPop>>,
}

impl DirectTake {
    pub(in crate::engine) fn new(tap: &Arc<Tap>, shared: &Arc<Shared>) -> Self {
        Self {
            tap: Arc::clone(tap),
            shared: Arc::clone(shared),
            ticket: Mutex::new(None),
        }
    }

    /// Before the waiting begins.
    pub(in crate::engine) fn open(&self, ticket: PendingPop) {
        *lock(&self.ticket) = Some(ticket);
    }

    /// After it. `None` when a worker has taken the job.
    pub(in crate::engine) fn shut(&self) -> Option<PendingPop> {
        lock(&self.ticket).take()
    }
}

impl WakeSource<Arc<Job>> for DirectTake {
    fn socket(&self) -> BorrowedFd<'_> {
        self.tap.socket()
    }

    /// Pushes under the lock: once the engine finds the ticket gone, the job lies where it looks for jobs to return.
    fn take(&self, push: &mut dyn FnMut(Arc<Job>)) {
        let mut place = lock(&self.ticket);
        let epoch = place.as_ref().map(|it| it.epoch);
        // The engine knows what else is to be done then.
        if epoch != Some(self.shared.tenure.epoch()) || self.shared.phase.now() != Phase::Running {
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
