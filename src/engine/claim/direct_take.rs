//! Lets a worker take a job that comes by hand-off before the engine's thread is awake.

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::oneshot;

use crate::engine::ready::WakeSource;
use crate::engine::state::settlements::HandedOver;
use crate::engine::state::{Phase, Shared};
use crate::engine::sync::{Mutex, lock};
use crate::job::{Envelope, Job, Queue, Token};
use crate::store::ReplyPeek;

/// What is known of a job before it arrives. Whichever thread holds this on its arrival admits it.
pub(in crate::engine) struct PendingPop {
    pub(in crate::engine) epoch: u32,
    /// Index of the capsule.
    pub(in crate::engine) capsule: usize,
    pub(in crate::engine) queue: Arc<Queue>,
    /// Notified once the job is in the in-flight table.
    pub(in crate::engine) adopted: oneshot::Sender<()>,
}

impl PendingPop {
    /// Builds the job from `payload`, and has the settler adopt it before doing anything else with it.
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
        // If it cannot start, the fetcher returns it.
        shared.capsules[capsule].hungry.notify_one();
        job
    }
}

/// One per connection; shut unless a job is being waited for.
pub(in crate::engine) struct DirectTake {
    pub(in crate::engine) peek: Arc<ReplyPeek>,
    shared: Arc<Shared>,
    pending: Mutex<Option<PendingPop>>,
}

impl DirectTake {
    pub(in crate::engine) fn new(peek: &Arc<ReplyPeek>, shared: &Arc<Shared>) -> Self {
        Self {
            peek: Arc::clone(peek),
            shared: Arc::clone(shared),
            pending: Mutex::new(None),
        }
    }

    /// Call before the wait begins.
    pub(in crate::engine) fn open(&self, pending: PendingPop) {
        *lock(&self.pending) = Some(pending);
    }

    /// Call after the wait. `None` when a worker has taken the job.
    pub(in crate::engine) fn shut(&self) -> Option<PendingPop> {
        lock(&self.pending).take()
    }
}

impl WakeSource<Arc<Job>> for DirectTake {
    fn socket(&self) -> BorrowedFd<'_> {
        self.peek.socket()
    }

    /// Pushes under the lock: once the engine finds nothing pending, the job is where the engine looks for jobs to
    /// return.
    fn take(&self, push: &mut dyn FnMut(Arc<Job>)) {
        let mut place = lock(&self.pending);
        let epoch = place.as_ref().map(|it| it.epoch);
        // The engine knows what else has to be done in that case.
        if epoch != Some(self.shared.tenure.epoch()) || self.shared.phase.now() != Phase::Running {
            return;
        }
        let Some(payload) = self.peek.take() else {
            return;
        };
        if let Some(pending) = place.take() {
            push(pending.admit(&self.shared, payload));
        }
    }
}
