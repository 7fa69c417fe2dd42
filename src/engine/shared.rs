//! What the tasks of one engine and the workers share. Everything here may be touched by any
//! thread; nothing here waits.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

use super::busy::Busy;
use super::clock::Clock;
use super::control::{Control, DueBatch};
use super::mailbox::Mailbox;
use super::ready::Ready;
use super::settings::Settings;
use super::settler::Settlements;
use super::sync::{Mutex, lock};
use crate::dialect::sidekiq::Metrics;
use crate::job::Job;
use crate::store::StoreError;

/// How far the engine is on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Claiming and running.
    Running,
    /// No new jobs; what runs may finish.
    Quiet,
    /// Flush everything and end.
    Finishing,
}

/// One capsule's side towards its workers.
pub struct Capsule {
    /// Its name.
    pub name: String,
    /// Claimed jobs.
    pub ready: Ready<Arc<Job>>,
    /// Rings when the fetcher should look at the demand again.
    pub(super) hungry: Arc<Notify>,
    /// Rings when a queue may have got a job.
    pub(super) touched: Notify,
}

/// See the module's text.
pub struct Shared {
    /// As the engine was started.
    pub settings: Settings,
    /// In the order of the settings.
    pub capsules: Vec<Capsule>,
    /// What runs.
    pub busy: Busy,
    /// What ended.
    pub settlements: Settlements,
    /// What Ruby should hear.
    pub control: Mailbox<Control>,
    /// Due jobs that Ruby's client middleware must see.
    pub due: Mailbox<DueBatch>,
    /// Time.
    pub clock: Clock,
    pub(super) phase: watch::Sender<Phase>,
    pub(super) metrics: Mutex<Metrics>,
    /// Rings when the schedule or the retry set may have got a nearer job.
    pub(super) schedule_touched: Notify,
    pub(super) retry_touched: Notify,
    /// Rings when somebody left a signal for this process.
    pub(super) signalled: Notify,
    epoch: AtomicU32,
    flushes: AtomicU64,
    outage: Mutex<Option<Outage>>,
}

struct Outage {
    since: Instant,
    said: String,
}

impl Shared {
    pub(super) fn new(settings: Settings) -> Self {
        let workers = settings.capsules.iter().map(|it| it.concurrency).sum();
        let capsules = settings
            .capsules
            .iter()
            .map(|it| Capsule::new(&it.name, it.concurrency))
            .collect();
        Self {
            capsules,
            busy: Busy::new(workers),
            settlements: Settlements::default(),
            control: Mailbox::new(10_000),
            due: Mailbox::new(usize::MAX),
            clock: Clock,
            phase: watch::Sender::new(Phase::Running),
            metrics: Mutex::new(Metrics::new(settings.generation)),
            schedule_touched: Notify::new(),
            retry_touched: Notify::new(),
            signalled: Notify::new(),
            epoch: AtomicU32::new(1),
            flushes: AtomicU64::new(0),
            outage: Mutex::new(None),
            settings,
        }
    }

    /// The name under which the jobs of lease `epoch` are held.
    pub fn holder(&self, epoch: u32) -> String {
        format!("{}:{epoch}", self.settings.process.identity)
    }

    /// The current lease.
    pub(super) fn epoch(&self) -> u32 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Numbers the next flush of metrics, so that a repeated one counts once.
    pub(super) fn next_flush(&self) -> u64 {
        self.flushes.fetch_add(1, Ordering::AcqRel) + 1
    }

    pub(super) fn next_epoch(&self) -> u32 {
        self.epoch.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// A queue may have got a job: wakes every idle fetcher. Each looks at its own queues only, and a
    /// look costs one command.
    pub(super) fn ring_queues(&self) {
        for capsule in &self.capsules {
            capsule.touched.notify_one();
        }
    }

    /// How far the engine is on its way out.
    pub fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Moves on; never back.
    pub(super) fn advance(&self, to: Phase) {
        self.phase.send_if_modified(|phase| {
            let later = to > *phase;
            if later {
                *phase = to;
            }
            later
        });
    }

    /// Completes once the engine is at least as far as `phase`.
    pub(super) async fn reached(&self, phase: Phase) {
        let mut watch = self.phase.subscribe();
        // The sender lives in `self`: waiting cannot fail.
        let _ended = watch.wait_for(|it| *it >= phase).await;
    }

    /// Repeats `call` until it succeeds. Errors are said once per outage, not once per attempt.
    pub(super) async fn insist<T, F>(&self, what: &str, mut call: impl FnMut() -> F) -> T
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut patience = Patience::default();
        loop {
            match call().await {
                Ok(value) => {
                    self.online();
                    return value;
                }
                Err(error) => {
                    self.offline(what, &error);
                    patience.wait().await;
                }
            }
        }
    }

    pub(super) fn offline(&self, what: &str, error: &impl fmt::Display) {
        let text = error.to_string();
        let mut outage = lock(&self.outage);
        if outage.as_ref().is_some_and(|it| it.said == text) {
            return;
        }
        tracing::error!("cannot {what}: {text}; trying again");
        if outage.is_none() {
            self.control.send(Control::Outage(text.clone()));
        }
        let since = outage.as_ref().map_or_else(Instant::now, |it| it.since);
        *outage = Some(Outage { since, said: text });
    }

    pub(super) fn online(&self) {
        let ended = lock(&self.outage).take();
        if let Some(outage) = ended {
            let seconds = outage.since.elapsed().as_secs_f64();
            tracing::info!("Redis is online, {seconds:.3} sec downtime");
        }
    }
}

impl Capsule {
    fn new(name: &str, concurrency: usize) -> Self {
        let hungry = Arc::new(Notify::new());
        let bell = Arc::clone(&hungry);
        Self {
            name: name.to_owned(),
            ready: Ready::new(concurrency, move || bell.notify_one()),
            hungry,
            touched: Notify::new(),
        }
    }
}

/// Waits between attempts: 20 ms, doubling, at most 1 s (well below a lease, so that a process that
/// comes back renews before others may expire it).
#[derive(Default)]
pub(super) struct Patience {
    attempts: u32,
}

impl Patience {
    pub(super) async fn wait(&mut self) {
        let wait = Duration::from_millis(20) * 2_u32.pow(self.attempts.min(6));
        self.attempts += 1;
        tokio::time::sleep(wait.min(Duration::from_secs(1))).await;
    }
}
