//! What the tasks of one engine and the workers share, each piece in its own file. Any thread may touch anything here;
//! nothing here waits for Redis.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

pub(super) mod busy;
pub(super) mod capsule;
pub(super) mod clock;
pub(super) mod control;
pub(super) mod mailbox;
pub(super) mod outages;
pub(super) mod parcels;
pub(super) mod phase;
pub(super) mod restraint;
pub(super) mod settlements;
pub(super) mod stats;
pub(super) mod tenure;
pub(super) mod touches;
pub(super) mod wakeups;

pub use self::capsule::Capsule;
pub use self::phase::Phase;

use self::busy::Busy;
use self::clock::Clock;
use self::control::{Control, DueBatch};
use self::mailbox::Mailbox;
use self::outages::Outages;
use self::phase::Progress;
use self::settlements::Settlements;
use self::stats::Stats;
use self::tenure::Tenure;
use self::wakeups::Wakeups;
use super::queue_order::QueueOrder;
use super::settings::Settings;
use super::sync::{Mutex, lock};
use crate::job::{Ended, Job, Outcome};

/// How many refused settlements are remembered.
const MOST_REFUSED: usize = 10_000;

/// The state that the engine's tasks and the workers share.
pub struct Shared {
    /// The settings with which the engine was started.
    pub settings: Settings,
    /// In the order of the settings.
    pub capsules: Vec<Capsule>,
    /// The running jobs.
    pub busy: Busy,
    /// The jobs that ended.
    pub settlements: Settlements,
    /// Messages for Ruby's control thread.
    pub control: Arc<Mailbox<Control>>,
    /// Due jobs that Ruby's client middleware must see.
    pub due: Mailbox<DueBatch>,
    /// The host's clock.
    pub clock: Clock,
    /// How far the shutdown has come.
    pub phase: Progress,
    /// This process's lease.
    pub tenure: Tenure,
    pub(super) wakeups: Wakeups,
    pub(super) stats: Stats,
    pub(super) outages: Outages,
    /// The settlements that Redis has refused for good, oldest first.
    pub(super) refused: Mutex<VecDeque<Ended>>,
}

impl Shared {
    pub(super) fn new(settings: Settings) -> Self {
        let workers = settings.capsules.iter().map(|it| it.concurrency).sum();
        let orders = settings.capsules.iter();
        let orders: Vec<_> = orders
            .map(|it| QueueOrder::new(&it.queues, settings.version))
            .collect();
        let capsules = settings.capsules.iter().zip(&orders);
        let capsules = capsules.map(|(it, order)| Capsule::new(it, order));
        let control = Arc::new(Mailbox::new(10_000));
        Self {
            capsules: capsules.collect(),
            busy: Busy::new(workers),
            settlements: Settlements::default(),
            due: Mailbox::new(usize::MAX),
            clock: Clock,
            phase: Progress::default(),
            tenure: Tenure::of(&settings.process.identity, Instant::now()),
            wakeups: Wakeups::new(&settings, orders.iter().map(QueueOrder::queues)),
            stats: Stats::of(&settings.dialects),
            outages: Outages::told_to(&control),
            refused: Mutex::default(),
            control,
            settings,
        }
    }

    /// Returns jobs taken under a lease that was lost before they began. Recovery of that lease may come late, so they
    /// are put back from here, each only if nobody else has done so.
    pub(super) fn return_unstarted(&self, jobs: Vec<Arc<Job>>) {
        if !jobs.is_empty() {
            self.settlements.push_all(jobs, || Outcome::Returned);
        }
    }

    /// Keeps a settlement that Redis has refused for good, to be retried later, unless there are too many.
    pub(super) fn keep_refused(&self, ended: Ended) {
        let mut refused = lock(&self.refused);
        if refused.len() < MOST_REFUSED {
            refused.push_back(ended);
        }
    }
}
