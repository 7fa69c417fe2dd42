//! What each worker is running now: written by the workers; read by the heartbeat and, at a hard shutdown, by the code
//! that returns jobs that are still running.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::engine::sync::{Mutex, lock};
use crate::job::Job;

/// One worker's entry.
#[derive(Clone, Debug)]
pub struct Running {
    /// The job.
    pub job: Arc<Job>,
    /// When it was started, in epoch seconds.
    pub since: i64,
}

/// One slot per worker of the process.
pub struct Busy {
    slots: Vec<Slot>,
    running: AtomicUsize,
}

struct Slot {
    tid: Mutex<String>,
    running: Mutex<Option<(Arc<Job>, Instant)>>,
}

impl Busy {
    /// A table for `workers` workers.
    pub fn new(workers: usize) -> Self {
        let slot = || Slot {
            tid: Mutex::new(String::new()),
            running: Mutex::new(None),
        };
        Self {
            slots: std::iter::repeat_with(slot).take(workers).collect(),
            running: AtomicUsize::new(0),
        }
    }

    /// Names the thread that uses a slot (Sidekiq's `tid`).
    pub fn name(&self, slot: usize, tid: String) {
        *lock(&self.slots[slot].tid) = tid;
    }

    /// The worker starts a job, at `now`.
    pub fn start(&self, slot: usize, job: Arc<Job>, now: Instant) {
        *lock(&self.slots[slot].running) = Some((job, now));
        self.running.fetch_add(1, Ordering::Relaxed);
    }

    /// The worker is done with its job.
    pub fn finish(&self, slot: usize) {
        if lock(&self.slots[slot].running).take().is_some() {
            self.running.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// How many jobs are running.
    pub fn count(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }

    /// Everything that is running now, with the names of the threads.
    pub fn snapshot(&self) -> Vec<(String, Running)> {
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        let epoch = epoch.unwrap_or_default();
        self.slots
            .iter()
            .filter_map(|slot| {
                let (job, started) = lock(&slot.running).clone()?;
                let since = epoch.saturating_sub(started.elapsed()).as_secs();
                let since = i64::try_from(since).unwrap_or(i64::MAX);
                Some((lock(&slot.tid).clone(), Running { job, since }))
            })
            .collect()
    }
}
