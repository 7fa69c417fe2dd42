//! What the tasks of one engine and the workers share. Everything here may be touched by any
//! thread; nothing here waits.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

use super::busy::Busy;
use super::clock::Clock;
use super::control::{Control, DueBatch};
use super::dispatch::Concerns;
use super::handoff::HANDOFFS;
use super::mailbox::Mailbox;
use super::metrics::Flush;
use super::order::QueueOrder;
use super::outage::Outages;
use super::ready::Ready;
use super::restraint::Stream;
use super::settings::{CapsuleSettings, Settings};
use super::settler::Settlements;
use super::settler::refused::Refused;
use super::sync::Mutex;
use super::touches::Touches;
use crate::dialect::{Dialect, Metrics};
use crate::job::{Job, Outcome};
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
    /// Which of its queues may have jobs.
    pub(super) touches: Touches,
    /// Whether the queues are empty and so many workers free that jobs may come by hand-off.
    pub(super) idle: watch::Sender<bool>,
    /// How many have come so.
    pub(super) handed_over: AtomicU64,
    /// At how many queues somebody waits for one.
    handoffs: usize,
    /// How long its jobs have run, all together, in nanoseconds.
    ran: AtomicU64,
}

/// A set of jobs that wait for their time.
pub(super) struct DueSet {
    /// Whose it is.
    pub(super) dialect: usize,
    /// Its full key.
    pub(super) key: String,
    /// Rings when it may have got a nearer job.
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
    pub(super) concerns: Concerns,
    /// For looks.
    pub(super) stream: Stream,
    /// For what takes several commands and can wait.
    pub(super) slow_stream: Stream,
    pub(super) phase: watch::Sender<Phase>,
    /// Of each dialect.
    pub(super) metrics: Mutex<Vec<Metrics>>,
    /// Of all dialects.
    pub(super) due_sets: Vec<Arc<DueSet>>,
    /// Rings when any queue or set may have got a job.
    pub(super) everything_touched: Notify,
    /// Counts the reasons to ask anew whether jobs may come by hand-off.
    pub(super) recalled: watch::Sender<u64>,
    /// Rings when somebody left a signal for this process.
    pub(super) signalled: Notify,
    /// Rings when Redis has said that the lease is not there.
    pub(super) lease_doubted: Notify,
    epoch: AtomicU32,
    /// Until when the lease holds for sure, in µs after `born`.
    lease_until: AtomicU64,
    born: Instant,
    flushes: AtomicU64,
    pub(super) unwritten: Mutex<Option<Flush>>,
    pub(super) outages: Mutex<Outages>,
    pub(super) refused: Mutex<Refused>,
}

impl Shared {
    pub(super) fn new(settings: Settings) -> Self {
        let workers = settings.capsules.iter().map(|it| it.concurrency).sum();
        let orders = settings.capsules.iter();
        let orders: Vec<_> = orders
            .map(|it| QueueOrder::new(&it.queues, settings.generation))
            .collect();
        let queues = orders.iter().map(QueueOrder::queues);
        let concerns = Concerns::new(
            &settings.names,
            &settings.dialects,
            &settings.process.identity,
            queues,
        );
        let due_sets = settings.dialects.iter().enumerate();
        let due_sets = due_sets.flat_map(|(dialect, it)| {
            let set = move |key| {
                Arc::new(DueSet {
                    dialect,
                    key,
                    touched: Notify::new(),
                })
            };
            it.due_sets().into_iter().map(set)
        });
        let due_sets = due_sets.collect();
        let metrics = settings.dialects.iter().map(Dialect::metrics).collect();
        let capsules = settings.capsules.iter().zip(&orders);
        Self {
            capsules: capsules
                .map(|(it, order)| Capsule::new(it, order))
                .collect(),
            concerns,
            stream: Stream::from(Instant::now()),
            slow_stream: Stream::patient(Instant::now()),
            busy: Busy::new(workers),
            settlements: Settlements::default(),
            control: Mailbox::new(10_000),
            due: Mailbox::new(usize::MAX),
            clock: Clock,
            phase: watch::Sender::new(Phase::Running),
            metrics: Mutex::new(metrics),
            due_sets,
            everything_touched: Notify::new(),
            recalled: watch::Sender::new(0),
            signalled: Notify::new(),
            lease_doubted: Notify::new(),
            epoch: AtomicU32::new(1),
            lease_until: AtomicU64::new(0),
            born: Instant::now(),
            flushes: AtomicU64::new(0),
            unwritten: Mutex::new(None),
            outages: Mutex::default(),
            refused: Mutex::default(),
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

    /// The lease was confirmed by a call that began a lease period before `until`.
    pub(super) fn lease_holds_until(&self, until: Instant) {
        let micros = until.saturating_duration_since(self.born).as_micros();
        let micros = u64::try_from(micros).unwrap_or(u64::MAX);
        self.lease_until.store(micros, Ordering::Release);
    }

    /// Whether a job claimed under the lease of `epoch` may start at `now`: nobody else can have taken it over.
    pub fn may_start(&self, epoch: u32, now: Instant) -> bool {
        epoch == self.epoch() && self.lease_holds(now)
    }

    /// Whether at `now` nobody else can have taken over what this process has claimed. A process that was
    /// suspended, or has not reached Redis for a lease period, must not start any of it.
    fn lease_holds(&self, now: Instant) -> bool {
        let micros = now.saturating_duration_since(self.born).as_micros();
        micros < u128::from(self.lease_until.load(Ordering::Acquire))
    }

    /// Redis has said that the lease of `epoch` is not there: nothing can be claimed until that is seen to, and the next
    /// renewal may be far off.
    pub(super) fn doubt_lease(&self, epoch: u32) {
        if epoch == self.epoch() {
            self.lease_doubted.notify_one();
        }
    }

    /// Taken under a lease that was lost before they began. Whoever recovers that may come late, so they are put back from
    /// here, each only if nobody else has done it.
    pub(super) fn return_unstarted(&self, jobs: Vec<Arc<Job>>) {
        if !jobs.is_empty() {
            self.settlements.push_all(jobs, || Outcome::Returned);
        }
    }

    /// Numbers the next flush of metrics, so that a repeated one counts once.
    pub(super) fn next_flush(&self) -> u64 {
        self.flushes.fetch_add(1, Ordering::AcqRel) + 1
    }

    pub(super) fn next_epoch(&self) -> u32 {
        let epoch = self.epoch.fetch_add(1, Ordering::AcqRel) + 1;
        // Whoever waits, waits under the lost name.
        self.recall();
        epoch
    }

    /// Ends all waiting for jobs by hand-off: what was asked before it began may have another answer now.
    pub(super) fn recall(&self) {
        self.recalled.send_modify(|it| *it += 1);
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
    pub(super) async fn insist<T, F>(&self, what: &'static str, mut call: impl FnMut() -> F) -> T
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut attempts = self.attempts(what);
        let mut patience = Patience::default();
        loop {
            match call().await {
                Ok(value) => {
                    attempts.worked();
                    return value;
                }
                Err(error) => {
                    attempts.failed(&error);
                    patience.wait().await;
                }
            }
        }
    }
}

impl Capsule {
    fn new(settings: &CapsuleSettings, order: &QueueOrder) -> Self {
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

    /// A job has ended that ran for so long.
    pub fn add_run(&self, elapsed: Duration) {
        let nanos = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        self.ran.fetch_add(nanos, Ordering::Relaxed);
    }

    /// How long its jobs have run, all together.
    pub(super) fn ran(&self) -> Duration {
        Duration::from_nanos(self.ran.load(Ordering::Relaxed))
    }

    pub(super) fn say_idle(&self, now: bool) {
        self.idle
            .send_if_modified(|idle| std::mem::replace(idle, now) != now);
    }

    /// Each brings a job that no claim asked for, and one worker is left for the claims.
    pub(super) fn has_room_for_handoffs(&self) -> bool {
        self.ready.idle() > self.handoffs
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
