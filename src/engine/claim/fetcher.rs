//! Claims jobs for one capsule: as many as its workers can start now, plus about 10 ms of work counted from their
//! arrival.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::{sleep, sleep_until};

use super::attempt::{Attempt, Brought, ClaimSequence};
use super::idle::Idle;
use super::large::LargeIn;
use super::pace::Pace;
use super::pipeline::Pipeline;
use super::stale::{Back, Stale};
use super::unreadable::Unreadable;
use crate::engine::queue_order::QueueOrder;
use crate::engine::ready::Demand;
use crate::engine::state::{Capsule, Phase, Shared};
use crate::engine::sync::Mutex;
use crate::job::{Job, Outcome};
use crate::store::Store;

/// The most jobs that one claim asks for.
const MOST: usize = 1_000;
/// How often to check whether workers that were held up are coming for jobs again.
const GLANCE: Duration = Duration::from_millis(50);
/// How soon to look again for jobs that stay in their queue while another is on trial.
const TRIAL: Duration = Duration::from_millis(50);
/// The most queues that one claim looks at. Each takes Redis up to 5 µs, during which it serves nobody else.
const MOST_QUEUES: usize = 500;

/// Fetches for one capsule until the engine goes quiet.
pub(in crate::engine) struct Fetcher {
    pub(in crate::engine) shared: Arc<Shared>,
    pub(in crate::engine) store: Store,
    pub(in crate::engine) sequence: Arc<Mutex<ClaimSequence>>,
    pub(in crate::engine) index: usize,
    pub(in crate::engine) order: QueueOrder,
    pub(in crate::engine) idle: Idle,
    pub(in crate::engine) pace: Pace,
    pub(in crate::engine) stale: Stale,
    pub(in crate::engine) large_in: LargeIn,
    pub(in crate::engine) unreadable: Unreadable,
    /// Dropped with the fetcher: the receiver thereby learns when the last fetcher is done.
    pub(in crate::engine) _busy: mpsc::Sender<Infallible>,
}

impl Fetcher {
    pub(in crate::engine) async fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let mut pipeline = Pipeline::default();
        while shared.phase.now() == Phase::Running {
            let demand = self.look(pipeline.jobs);
            // Jobs of claims under way would be returned behind these.
            if pipeline.is_empty() && self.give_back_what_lay(demand).await {
                continue;
            }
            let capsule = &shared.capsules[self.index];
            self.idle.doubt(&shared, capsule, Instant::now());
            if pipeline.allows(demand.want) && capsule.touches.any() {
                let attempt = self.attempt(demand);
                pipeline.send(attempt.limit, attempt.run());
            } else if pipeline.is_empty() && demand.want > 0 {
                self.wait_idle().await;
            } else if pipeline.is_empty() {
                self.capsule().say_idle(false);
                self.wait_for_demand(demand).await;
            } else {
                let hungry = shared.capsules[self.index].hungry.notified();
                tokio::select! {
                    brought = pipeline.next() => if let Some(brought) = brought {
                        self.pace.answered(brought.elapsed);
                        self.take_in(brought, pipeline.is_empty()).await;
                    },
                    () = hungry, if pipeline.may_be_more() => {}
                }
            }
        }
        while let Some(brought) = pipeline.next().await {
            self.hand_over(brought.jobs);
        }
        // Done here and in one go, so that what a last claim brought goes back behind what was claimed before it. The
        // shutdown waits for all settlements.
        let left = self.capsule().ready.reclaim();
        shared.settlements.push_all(left, || Outcome::Returned);
    }

    /// The demand beyond what the claims under way ask for.
    fn look(&mut self, coming: usize) -> Demand {
        let Capsule { ready, .. } = &self.shared.capsules[self.index];
        let done = ready.demand(coming).done;
        // Read after the demand: a worker reports how long a job ran before it reports that the job is done.
        let ran = self.capsule().ran();
        self.pace.measure(done, ran, Instant::now());
        ready.set_prefetch(self.pace.prefetch(self.shared.settings.ahead));
        ready.demand(coming)
    }

    fn attempt(&mut self, demand: Demand) -> Attempt {
        let limit = demand.want.min(MOST);
        let order = &mut self.order;
        let touches = &self.shared.capsules[self.index].touches;
        let look = touches.look(MOST_QUEUES, || order.arrange(&mut random));
        let shares = order.shares(&look.places, limit, &mut random);
        let queue = |at: &usize| Arc::clone(&order.queues()[*at]);
        let queues: Vec<_> = look.places.iter().map(queue).collect();
        Attempt {
            shared: Arc::clone(&self.shared),
            store: self.store.clone(),
            sequence: Arc::clone(&self.sequence),
            limit,
            startable: demand.idle,
            parcel: self.shared.settings.shortcuts.parcel(self.pace.parcel()),
            large_in: self.large_in.among(&queues),
            queues,
            look,
            shares,
        }
    }

    /// `last` says that no other claim is under way.
    async fn take_in(&mut self, brought: Brought, last: bool) {
        let tells_nothing = self.idle.tells_nothing(brought.late) || brought.held_back;
        let all = brought.jobs.is_empty() && !brought.late && !brought.held_back;
        let came_to = if all { &brought.queues[..] } else { &[] };
        self.unreadable.learn(&brought.passed_over, came_to);
        if !brought.jobs.is_empty() {
            self.capsule().say_idle(false);
            self.idle.reset();
            self.large_in.learn(&brought.jobs);
            self.hand_over(brought.jobs);
            if !self.store.is_told() {
                self.capsule().touches.add_all();
            }
            return;
        }
        let touches = &self.capsule().touches;
        if !tells_nothing {
            touches.found_empty(&brought.look);
        }
        if !last || tells_nothing {
            self.capsule().say_idle(false);
        } else if !touches.left_by(&brought.look) {
            self.wait_idle().await;
        }
        if last && brought.held_back {
            tokio::select! {
                () = sleep(TRIAL) => {}
                () = self.shared.phase.reached(Phase::Quiet) => {}
            }
        }
    }

    fn capsule(&self) -> &Capsule {
        &self.shared.capsules[self.index]
    }

    fn hand_over(&self, jobs: Vec<Arc<Job>>) {
        let lost = jobs
            .first()
            .is_some_and(|it| it.epoch != self.shared.tenure.epoch());
        if lost {
            self.shared.return_unstarted(jobs);
        } else {
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
            () = shared.phase.reached(Phase::Quiet) => {}
            () = self.next_look(), if demand.ready > 0 => {}
        }
    }

    /// Waits for jobs to arrive. Meanwhile jobs from earlier claims, or from hand-offs, may be waiting in the ready
    /// queue.
    async fn wait_idle(&mut self) {
        let shared = Arc::clone(&self.shared);
        let capsule = &shared.capsules[self.index];
        let told = self.store.is_told();
        // Without invalidation messages nothing would tell us that a queue was paused.
        capsule.say_idle(told && capsule.has_room_for_handoffs());
        let lie_ready = capsule.ready.demand(0).ready > 0;
        let next_look = sleep_until(self.stale.next_look(Instant::now()).into());
        tokio::select! {
            () = self.idle.wait(&shared, capsule, told) => {}
            () = shared.phase.reached(Phase::Quiet) => {}
            () = next_look, if lie_ready => {}
        }
    }

    async fn next_look(&self) {
        sleep_until(self.stale.next_look(Instant::now()).into()).await;
    }

    /// Whether any were returned.
    async fn give_back_what_lay(&mut self, demand: Demand) -> bool {
        match self.stale.look(Instant::now(), demand) {
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

    /// Workers that did not come for the jobs that were ready will not come for more: waits until one does.
    async fn wait_for_a_visit(&self, visits: u64) {
        while self.shared.phase.now() == Phase::Running
            && self.capsule().ready.demand(0).visits == visits
        {
            sleep(GLANCE).await;
            // Jobs that arrived since, by hand-off.
            self.give_back(self.capsule().ready.reclaim()).await;
        }
    }
}

/// Uniformly distributed in `0..below`.
fn random(below: u32) -> u32 {
    fastrand::u32(..below.max(1))
}
