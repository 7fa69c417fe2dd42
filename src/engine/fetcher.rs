//! Claims jobs for one capsule: as many as its workers can start now, plus about 10 ms of work from when they come.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::{sleep, sleep_until, timeout};

pub(super) use self::claiming::Desk;
use self::claiming::{Brought, Claiming};
pub(super) use self::large::LargeIn;
use self::lying::Back;
pub(super) use self::lying::Lying;
pub(super) use self::pace::Pace;
use self::under_way::UnderWay;
pub(super) use self::unreadable::Unreadable;
use super::order::QueueOrder;
use super::outcome::Outcome;
use super::ready::Demand;
use super::shared::{Capsule, Phase, Shared};
use super::sync::Mutex;
use crate::job::Job;
use crate::store::Store;

mod claiming;
mod large;
mod lying;
mod pace;
mod under_way;
mod unreadable;

/// The most jobs one claim asks for.
const MOST: usize = 1_000;
/// How often to see whether workers that were held up come by again.
const GLANCE: Duration = Duration::from_millis(50);
/// How soon to look again for jobs that stay in their queue while another is on trial.
const TRIAL: Duration = Duration::from_millis(50);
/// How long an idle fetcher trusts the tracking messages before it looks by itself.
const TRUST: Duration = Duration::from_secs(15);

/// Fetches for one capsule until the engine goes quiet.
pub(super) struct Fetcher {
    pub(super) shared: Arc<Shared>,
    pub(super) store: Store,
    pub(super) desk: Arc<Mutex<Desk>>,
    pub(super) index: usize,
    pub(super) order: QueueOrder,
    pub(super) names: Vec<Arc<str>>,
    pub(super) pace: Pace,
    pub(super) lying: Lying,
    pub(super) large_in: LargeIn,
    pub(super) unreadable: Unreadable,
    /// Dropped with the fetcher: whoever has the other end knows when the last one is done.
    pub(super) _busy: mpsc::Sender<Infallible>,
}

impl Fetcher {
    pub(super) async fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let mut idle = Idle::new(self.store.server().tracking);
        let mut under_way = UnderWay::default();
        while shared.phase() == Phase::Running {
            let demand = self.look(under_way.jobs);
            // What is under way would come back behind it.
            if under_way.is_empty() && self.give_back_what_lay(demand).await {
                continue;
            }
            if under_way.allows(demand.want) {
                let claiming = self.claiming(demand);
                under_way.send(claiming.limit, claiming.run());
            } else if under_way.is_empty() {
                self.capsule().say_idle(false);
                self.wait_for_demand(demand).await;
            } else {
                let hungry = shared.capsules[self.index].hungry.notified();
                tokio::select! {
                    brought = under_way.next() => if let Some(brought) = brought {
                        self.pace.answered(brought.elapsed);
                        self.take_in(brought, &mut idle, under_way.is_empty()).await;
                    },
                    () = hungry, if under_way.may_be_more() => {}
                }
            }
        }
        while let Some(brought) = under_way.next().await {
            self.hand_over(brought.jobs);
        }
        // Here and in one go, so that what a last claim brought goes back behind what was claimed before it. The end waits
        // for all settlements.
        let left = self.capsule().ready.reclaim();
        shared.settlements.push_all(left, || Outcome::Returned);
    }

    /// The demand beyond what is under way.
    fn look(&mut self, coming: usize) -> Demand {
        let Capsule { ready, .. } = &self.shared.capsules[self.index];
        let done = ready.demand(coming).done;
        // After it: a worker says first how long a job ran, and then that it is done.
        let ran = self.capsule().ran();
        self.pace.measure(done, ran, Instant::now());
        ready.set_prefetch(self.pace.prefetch(self.shared.settings.ahead));
        ready.demand(coming)
    }

    fn claiming(&mut self, demand: Demand) -> Claiming {
        let limit = demand.want.min(MOST);
        let order = self.order.arrange(&mut random);
        let named = |at: &usize| Arc::clone(&self.names[*at]);
        let queues: Vec<_> = order.iter().map(named).collect();
        Claiming {
            shared: Arc::clone(&self.shared),
            store: self.store.clone(),
            desk: Arc::clone(&self.desk),
            limit,
            startable: demand.idle,
            parcel: self.pace.parcel(),
            large_in: self.large_in.among(&queues),
            queues,
            shares: self.order.shares(limit, &mut random),
        }
    }

    /// `last` says that no other claim is under way.
    async fn take_in(&mut self, brought: Brought, idle: &mut Idle, last: bool) {
        let Brought {
            jobs,
            held_back,
            late,
            passed_over,
            ..
        } = brought;
        self.unreadable
            .learn(passed_over, jobs.is_empty() && !late && !held_back);
        let tells_nothing = idle.tells_nothing(late);
        let dry = jobs.is_empty() && last && !tells_nothing;
        // Without tracking nobody would say that a queue was paused.
        let handoffs = self.store.server().tracking && self.capsule().has_room_for_handoffs();
        self.capsule().say_idle(dry && !held_back && handoffs);
        if !jobs.is_empty() {
            idle.reset();
            self.large_in.learn(&jobs);
            self.hand_over(jobs);
        } else if dry && held_back {
            tokio::select! {
                () = sleep(TRIAL) => {}
                () = self.shared.reached(Phase::Quiet) => {}
            }
        } else if dry {
            self.wait_idle(idle).await;
        }
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

    /// Returns once they are in their queues: a claim or a second return that overtook them would change the order.
    async fn give_back(&self, jobs: Vec<Arc<Job>>) {
        if !jobs.is_empty() {
            let settlements = &self.shared.settlements;
            let round = settlements.push_all(jobs, || Outcome::Returned);
            settlements.served(round).await;
        }
    }

    async fn wait_for_demand(&self, demand: Demand) {
        let shared = Arc::clone(&self.shared);
        let hungry = shared.capsules[self.index].hungry.notified();
        tokio::select! {
            () = hungry => {}
            () = shared.reached(Phase::Quiet) => {}
            () = self.next_look(), if demand.ready > 0 => {}
        }
    }

    /// Waits for jobs to come. Meanwhile some that came before, or by hand-off, may lie ready.
    async fn wait_idle(&self, idle: &mut Idle) {
        let shared = Arc::clone(&self.shared);
        let lie_ready = self.capsule().ready.demand(0).ready > 0;
        tokio::select! {
            () = idle.wait(&shared.capsules[self.index]) => {}
            () = shared.reached(Phase::Quiet) => {}
            () = self.next_look(), if lie_ready => {}
        }
    }

    async fn next_look(&self) {
        sleep_until(self.lying.next_look(Instant::now()).into()).await;
    }

    /// Whether any went back.
    async fn give_back_what_lay(&mut self, demand: Demand) -> bool {
        match self.lying.look(Instant::now(), demand) {
            Back::Nothing => false,
            Back::Surplus => {
                let surplus = self.capsule().ready.reclaim_surplus();
                let any = !surplus.is_empty();
                self.give_back(surplus).await;
                any
            }
            Back::All => {
                self.capsule().say_idle(false);
                self.give_back(self.capsule().ready.reclaim()).await;
                self.pace.forget();
                self.capsule().ready.set_prefetch(0);
                self.wait_for_a_visit(demand.visits).await;
                true
            }
        }
    }

    /// Workers that did not come by for what was ready will not come by for more: waits until one
    /// does.
    async fn wait_for_a_visit(&self, visits: u64) {
        while self.shared.phase() == Phase::Running
            && self.capsule().ready.demand(0).visits == visits
        {
            sleep(GLANCE).await;
            // What came since, by hand-off.
            self.give_back(self.capsule().ready.reclaim()).await;
        }
    }
}

/// Uniform in `0..below`.
fn random(below: u32) -> u32 {
    fastrand::u32(..below.max(1))
}

/// Waiting for a queue to get a job: until Redis says that one was touched, or as long as experience
/// says.
struct Idle {
    tracking: bool,
    fruitless: u32,
    /// The last claim came late: see [`Claims`](crate::store::Claims).
    late: bool,
    handed_over: u64,
}

impl Idle {
    fn new(tracking: bool) -> Self {
        Self {
            tracking,
            fruitless: 0,
            late: false,
            handed_over: 0,
        }
    }

    fn reset(&mut self) {
        self.fruitless = 0;
    }

    /// Whether an answer without jobs says nothing about the queues, because its claim came late. Twice in a row is no
    /// accident: a claim may also fail in a way that repeating it does not mend.
    fn tells_nothing(&mut self, late: bool) -> bool {
        let before = std::mem::replace(&mut self.late, late);
        late && !before
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_claim_tells_nothing_unless_the_one_before_was_late_too() {
        let mut idle = Idle::new(true);
        let answers = [true, true, true, false, true, false, false, true];
        let told = answers.map(|late| idle.tells_nothing(late));
        assert_eq!(told, [true, false, false, false, true, false, false, true]);
    }
}
