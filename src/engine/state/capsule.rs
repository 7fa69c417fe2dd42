//! What one capsule shares with its workers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::engine::queue_order::QueueOrder;
use crate::engine::ready::Ready;
use crate::engine::settings::CapsuleSettings;
use crate::engine::state::touches::Touches;
use crate::job::Job;

/// At how many queues of a capsule to wait for hand-offs: each takes a connection, and may bring a job that the fetcher
/// did not ask for, so that more workers than this must be free.
pub(in crate::engine) const HANDOFFS: usize = 3;

/// What the capsule's tasks and its workers share.
pub struct Capsule {
    /// Its name.
    pub name: String,
    /// Claimed jobs.
    pub ready: Ready<Arc<Job>>,
    /// Notified when the fetcher should look at the demand again.
    pub(in crate::engine) hungry: Arc<Notify>,
    /// Which of its queues may have jobs.
    pub(in crate::engine) touches: Touches,
    /// Whether the queues are empty and enough workers free for jobs to come by hand-off.
    pub(in crate::engine) idle: watch::Sender<bool>,
    /// How many jobs have come that way.
    pub(in crate::engine) handed_over: AtomicU64,
    /// At how many of its queues hand-offs are waited for.
    handoffs: usize,
    /// How long its jobs have run in total, in nanoseconds.
    ran: AtomicU64,
}

impl Capsule {
    pub(in crate::engine) fn new(settings: &CapsuleSettings, order: &QueueOrder) -> Self {
        let hungry = Arc::new(Notify::new());
        let bell = Arc::clone(&hungry);
        Self {
            name: settings.name.clone(),
            ready: Ready::new(settings.concurrency, move || bell.notify_one()),
            hungry,
            touches: Touches::new(order.queues().len()),
            idle: watch::Sender::new(false),
            handed_over: AtomicU64::new(0),
            handoffs: settings.queues.len().min(HANDOFFS),
            ran: AtomicU64::new(0),
        }
    }

    /// A job has ended that ran for `elapsed`.
    pub fn add_run(&self, elapsed: Duration) {
        let nanos = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        self.ran.fetch_add(nanos, Ordering::Relaxed);
    }

    /// How long its jobs have run in total.
    pub(in crate::engine) fn ran(&self) -> Duration {
        Duration::from_nanos(self.ran.load(Ordering::Relaxed))
    }

    pub(in crate::engine) fn say_idle(&self, now: bool) {
        self.idle
            .send_if_modified(|idle| std::mem::replace(idle, now) != now);
    }

    /// Each hand-off brings a job that no claim asked for, and one worker is left for the claims.
    pub(in crate::engine) fn has_room_for_handoffs(&self) -> bool {
        self.ready.idle() > self.handoffs
    }
}
