//! Claims jobs for one capsule: as many as its workers can start now, plus about 10 ms of work.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::{Mutex as AsyncMutex, mpsc};
use tokio::time::{sleep, timeout};

use super::order::QueueOrder;
use super::outcome::Outcome;
use super::ready::Demand;
use super::shared::{Capsule, Patience, Phase, Shared};
use crate::job::{Envelope, Job, Token};
use crate::store::{Claim, Claims, Store, StoreError};

/// The most jobs one claim asks for.
const MOST: usize = 1_000;
/// The most bytes one claim asks for.
const MOST_BYTES: usize = 4 << 20;
/// The most jobs of a parcel.
const PARCEL: usize = 128;
/// At this many jobs per second and more, a claim asks for parcels: one is done within 2 ms. Slower, and
/// most would be opened again, which costs more than it saves.
const PARCELS_FROM: f64 = 60_000.0;
/// The most jobs that may lie ready, however fast they are.
const MOST_AHEAD: usize = 2_048;
/// Jobs that no worker took for this long go back: the workers are held up (a job keeps the GVL),
/// and another process may run them. Doubled after each time that it was in vain, up to [`MOST_PATIENT`]:
/// where every turn at the GVL takes long, jobs must not be taken away again and again before it comes.
pub(super) const STALLED: Duration = Duration::from_secs(1);
/// See [`STALLED`].
const MOST_PATIENT: Duration = Duration::from_secs(30);
/// How often to see whether workers that were held up come by again.
const GLANCE: Duration = Duration::from_millis(50);
/// How soon to look again for jobs that stay in their queue while another is on trial.
const TRIAL: Duration = Duration::from_millis(50);
/// How long an idle fetcher trusts the tracking messages before it looks by itself.
const TRUST: Duration = Duration::from_secs(15);

/// What all fetchers of a process share: claims carry a sequence number per holder, and one must be
/// known to have happened before the next is sent.
pub(super) struct Desk {
    epoch: u32,
    number: u64,
    next_token: u64,
}

impl Desk {
    pub(super) fn new(epoch: u32) -> Self {
        Self {
            epoch,
            number: 0,
            next_token: 0,
        }
    }

    /// Numbers a claim of up to `limit` jobs under the lease of `epoch`. Numbers start anew with
    /// each lease: a claim under a lost one took nothing, or what recovery moves back.
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

/// Fetches for one capsule until the engine goes quiet.
pub(super) struct Fetcher {
    pub(super) shared: Arc<Shared>,
    pub(super) store: Store,
    pub(super) desk: Arc<AsyncMutex<Desk>>,
    pub(super) index: usize,
    pub(super) order: QueueOrder,
    pub(super) names: Vec<Arc<str>>,
    pub(super) pace: Pace,
    /// See [`STALLED`].
    pub(super) stalled_after: Duration,
    /// Dropped with the fetcher: whoever has the other end knows when the last one is done.
    pub(super) _busy: mpsc::Sender<Infallible>,
}

impl Fetcher {
    pub(super) async fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let mut idle = Idle::new(self.store.server().tracking);
        while shared.phase() == Phase::Running {
            let demand = self.capsule().ready.demand();
            let prefetch = self.pace.prefetch(demand, self.shared.settings.ahead);
            self.capsule().ready.set_prefetch(prefetch);
            if demand.want == 0 {
                self.capsule().say_idle(false);
                self.wait_for_demand(demand).await;
                continue;
            }
            let (jobs, held_back) = self.claim(demand).await;
            // Without tracking nobody would say that a queue was paused.
            let handoffs = self.store.server().tracking && self.capsule().has_room_for_handoffs();
            self.capsule()
                .say_idle(jobs.is_empty() && !held_back && handoffs);
            if jobs.is_empty() && held_back {
                tokio::select! {
                    () = sleep(TRIAL) => {}
                    () = shared.reached(Phase::Quiet) => {}
                }
            } else if jobs.is_empty() {
                self.wait_idle(&mut idle).await;
            } else {
                idle.reset();
                self.hand_over(jobs);
            }
        }
        // Here and in one go, so that what a last claim brought goes back behind what was claimed before it.
        self.give_back(self.capsule().ready.reclaim());
    }

    fn capsule(&self) -> &Capsule {
        &self.shared.capsules[self.index]
    }

    fn hand_over(&self, jobs: Vec<Arc<Job>>) {
        let lost = jobs
            .first()
            .is_some_and(|it| it.epoch != self.shared.epoch());
        // The lease was lost while they were on their way: they come back through recovery.
        if !lost {
            self.capsule().ready.push(jobs);
        }
    }

    fn give_back(&self, jobs: Vec<Arc<Job>>) {
        if !jobs.is_empty() {
            self.shared.settlements.push_all(jobs, || Outcome::Returned);
        }
    }

    async fn wait_for_demand(&mut self, demand: Demand) {
        let shared = Arc::clone(&self.shared);
        let hungry = shared.capsules[self.index].hungry.notified();
        if demand.ready == 0 {
            tokio::select! {
                () = hungry => {}
                () = shared.reached(Phase::Quiet) => {}
            }
            return;
        }
        tokio::select! {
            () = hungry => return,
            () = shared.reached(Phase::Quiet) => return,
            () = sleep(self.stalled_after) => {}
        }
        self.give_back_what_is_stalled(demand).await;
    }

    /// Waits for jobs to come. Meanwhile some that came before, or by hand-off, may lie ready.
    async fn wait_idle(&mut self, idle: &mut Idle) {
        let shared = Arc::clone(&self.shared);
        let waiting = idle.wait(&shared.capsules[self.index]);
        tokio::pin!(waiting);
        loop {
            let before = self.capsule().ready.demand();
            tokio::select! {
                () = &mut waiting => return,
                () = shared.reached(Phase::Quiet) => return,
                () = sleep(self.stalled_after), if before.ready > 0 => {}
            }
            if self.give_back_what_is_stalled(before).await {
                return;
            }
        }
    }

    /// Whether there was any: nothing was taken since `before`, [`Self::stalled_after`] ago.
    async fn give_back_what_is_stalled(&mut self, before: Demand) -> bool {
        let now = self.capsule().ready.demand();
        if now.taken != before.taken {
            self.stalled_after = STALLED;
            return false;
        }
        if now.ready == 0 {
            return false;
        }
        self.stalled_after = (self.stalled_after * 2).min(MOST_PATIENT);
        self.capsule().say_idle(false);
        self.give_back(self.capsule().ready.reclaim());
        self.pace = Pace::default();
        self.capsule().ready.set_prefetch(0);
        self.wait_for_a_visit(now.visits).await;
        true
    }

    /// Workers that did not come by for what was ready will not come by for more: waits until one
    /// does.
    async fn wait_for_a_visit(&self, visits: u64) {
        while self.shared.phase() == Phase::Running
            && self.capsule().ready.demand().visits == visits
        {
            sleep(GLANCE).await;
            // What came since, by hand-off.
            self.give_back(self.capsule().ready.reclaim());
        }
    }

    /// The jobs, and whether others were held back for a trial.
    async fn claim(&mut self, demand: Demand) -> (Vec<Arc<Job>>, bool) {
        let limit = demand.want.min(MOST);
        let order = self.order.arrange(&mut random);
        let queues: Vec<Arc<str>> = order
            .iter()
            .map(|it| Arc::clone(&self.names[*it]))
            .collect();
        let shares = self.order.shares(limit, &mut random);
        let mut desk = self.desk.lock().await;
        let mut patience = Patience::default();
        let mut epoch = self.shared.epoch();
        let (mut number, mut first_token) = desk.number(epoch, limit);
        loop {
            let holder = self.shared.holder(epoch);
            let claim = Claim {
                holder: &holder,
                number,
                first_token,
                limit,
                startable: demand.idle,
                byte_limit: MOST_BYTES,
                parcel: self.pace.parcel(),
                queues: &queues,
                shares: &shares,
            };
            match self.store.claim(&claim).await {
                Ok(claims) => {
                    self.shared.online("claim jobs");
                    let held_back = claims.held_back;
                    return (self.receive(claims, &queues, epoch), held_back);
                }
                // The lease task is taking a new one.
                Err(StoreError::LeaseLost) => {}
                Err(error) => self.shared.offline("claim jobs", &error),
            }
            patience.wait().await;
            if self.shared.epoch() != epoch {
                epoch = self.shared.epoch();
                (number, first_token) = desk.number(epoch, limit);
            }
        }
    }

    fn receive(&self, claims: Claims, queues: &[Arc<str>], epoch: u32) -> Vec<Arc<Job>> {
        claims
            .into_iter()
            .map(|it| {
                Arc::new(Job {
                    token: Token(it.token),
                    parcel: it.parcel,
                    epoch,
                    queue: Arc::clone(&queues[it.queue]),
                    envelope: Envelope::read(&it.payload),
                    payload: it.payload.into_boxed_slice(),
                })
            })
            .collect()
    }
}

/// Uniform in `0..below`.
fn random(below: u32) -> u32 {
    fastrand::u32(..below.max(1))
}

/// How fast a capsule takes jobs, and how far ahead its fetcher may claim.
pub(super) struct Pace {
    since: Instant,
    taken: u64,
    per_second: f64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            since: Instant::now(),
            taken: 0,
            per_second: 0.0,
        }
    }
}

impl Pace {
    /// The prefetch for now: what was taken lately, scaled to `ahead`. Jobs that take longer than
    /// that get none.
    fn prefetch(&mut self, demand: Demand, ahead: Duration) -> usize {
        let elapsed = self.since.elapsed().as_secs_f64();
        if elapsed >= 0.002 {
            let taken = demand.taken.saturating_sub(self.taken) as f64;
            // The longer the look, the less the past counts; after a pause, nothing.
            let weight = (elapsed / 0.010).clamp(0.2, 1.0);
            self.per_second += (taken / elapsed - self.per_second) * weight;
            self.since = Instant::now();
            self.taken = demand.taken;
        }
        ((self.per_second * ahead.as_secs_f64()) as usize).min(MOST_AHEAD)
    }

    /// The most jobs of a parcel; 0 for no parcels.
    fn parcel(&self) -> usize {
        if self.per_second < PARCELS_FROM {
            0
        } else {
            PARCEL
        }
    }
}

/// Waiting for a queue to get a job: until Redis says that one was touched, or as long as experience
/// says.
struct Idle {
    tracking: bool,
    fruitless: u32,
    handed_over: u64,
}

impl Idle {
    fn new(tracking: bool) -> Self {
        Self {
            tracking,
            fruitless: 0,
            handed_over: 0,
        }
    }

    fn reset(&mut self) {
        self.fruitless = 0;
    }

    /// A queue's message may mean that another process took a job: after a few fruitless looks the
    /// next one waits a little, 5 ms at most, so that an idle process does not shadow a busy one.
    async fn wait(&mut self, capsule: &Capsule) {
        let handed_over = capsule.handed_over.load(Ordering::Relaxed);
        if handed_over == self.handed_over {
            self.fruitless = self.fruitless.saturating_add(1);
        } else {
            // The look was fruitless because its job had come on the shorter way.
            self.handed_over = handed_over;
            self.fruitless = 1;
        }
        if self.tracking {
            let woken = timeout(TRUST, capsule.touched.notified()).await.is_ok();
            if !woken {
                self.fruitless = 0;
            } else if self.fruitless > 3 {
                sleep(Duration::from_millis(u64::from(self.fruitless.min(8)) - 3)).await;
            } else {
                // The same push may have handed a job over: that goes first, since its worker can start.
                for _ in 0..4 {
                    tokio::task::yield_now().await;
                }
            }
        } else {
            let pause = Duration::from_millis(2) * 2_u32.pow(self.fruitless.min(6));
            sleep(pause).await;
        }
    }
}
