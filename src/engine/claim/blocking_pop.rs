//! While a capsule is idle, takes the jobs of one of its queues as they arrive, one round trip sooner than the fetcher
//! could (see store/handoff.rs). The fetcher tells us when the capsule is idle, and goes on looking itself.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};

use crate::engine::backoff::Backoff;
use crate::engine::claim::direct_take::{DirectTake, PendingPop};
use crate::engine::ready::WakeSource;
use crate::engine::shortcuts::Shortcut;
use crate::engine::state::restraint::Restraint;
use crate::engine::state::{Capsule, Phase, Shared};
use crate::job::{Job, Outcome, Queue};
use crate::store::{self, ClientId, MayWait, Store, StoreError};

/// How soon to repeat the call that ends the wait.
const AGAIN: Duration = Duration::from_millis(5);
/// How long after a lost connection the server may still move a job for it: it may not have noticed the loss, and waits
/// as long as the command asked.
const LATE: Duration = Duration::from_secs(35);
/// How often to check for such a job.
const LOOK: Duration = Duration::from_secs(1);
/// How long a stopping process waits for its lists to be removed.
const FAREWELL: Duration = Duration::from_secs(1);
/// Pause after a refusal. Most refusals end with a message, some only with time.
const REFUSED: Duration = Duration::from_secs(5);
/// Pause after a refusal for lack of a permission.
const DENIED: Duration = Duration::from_secs(30);
/// Consecutive recalls that are free, each costing this many commands: see restraint.rs.
const IN_HAND: u32 = 1;
const COMMANDS: u32 = 4;

/// Waits on one queue until the engine goes quiet.
pub(in crate::engine) struct Handoff {
    pub(in crate::engine) shared: Arc<Shared>,
    pub(in crate::engine) store: Store,
    /// Index of the capsule.
    pub(in crate::engine) index: usize,
    pub(in crate::engine) queue: Arc<Queue>,
    pub(in crate::engine) restraint: Restraint,
    /// How many recalls had been seen when the wait began.
    pub(in crate::engine) recalls: u64,
    /// As in the fetcher: the receiver learns that no more jobs can arrive once all senders are dropped.
    pub(in crate::engine) _busy: mpsc::Sender<Infallible>,
}

impl Handoff {
    /// For one of `count` such tasks in this process.
    pub(in crate::engine) fn restraint(count: usize) -> Restraint {
        Restraint::among(count, IN_HAND)
    }

    pub(in crate::engine) async fn run(mut self) {
        let mut place = self.store.handoff(Arc::clone(&self.queue));
        let mut direct_take = None;
        let mut backoff = Backoff::default();
        let mut late_until: Option<Instant> = None;
        while self.occasion(late_until.is_some()).await && self.recalled().await {
            match self.next(&mut place, &mut direct_take).await {
                Ok(()) => backoff = Backoff::default(),
                // A wrong password or an unknown user is treated as an outage like any other.
                Err(why @ StoreError::Denied(_)) if !why.is_about_login() => {
                    direct_take = None;
                    tracing::debug!("no hand-off of jobs from queue {}: {why}", self.queue.name);
                    tokio::select! {
                        () = sleep(DENIED) => {}
                        () = self.shared.phase.reached(Phase::Quiet) => {}
                    }
                }
                // The fetcher reports what is wrong with Redis; the lease task takes a new lease.
                Err(_) => {
                    direct_take = None;
                    late_until = Some(Instant::now() + LATE);
                    tokio::select! {
                        () = backoff.wait() => {}
                        () = self.shared.phase.reached(Phase::Quiet) => {}
                    }
                }
            }
            late_until = late_until.filter(|it| Instant::now() < *it);
        }
        if late_until.is_some() {
            self.collect(&place).await;
        } else {
            self.leave(&place).await;
        }
    }

    /// Nothing more can arrive. What is not removed now is removed in an hour (see sweep.lua).
    async fn leave(&self, place: &store::Handoff) {
        let holder = self.shared.tenure.holder(self.shared.tenure.epoch());
        drop(timeout(FAREWELL, place.leave(&holder)).await);
    }

    /// Waits for a reason to look at the list: an idle capsule or, after a lost connection, the passing of some time.
    /// `false` when the engine is quiet.
    async fn occasion(&self, late: bool) -> bool {
        let mut idle = self.capsule().idle.subscribe();
        tokio::select! {
            biased;
            () = self.shared.phase.reached(Phase::Quiet) => false,
            // The capsule owns the sender, so waiting cannot fail.
            _ = idle.wait_for(|it| *it) => true,
            () = sleep(LOOK), if late => true,
        }
    }

    /// After a recall, and for longer after many in a row, jobs arrive by claims for a while. `false` when the engine
    /// is quiet.
    async fn recalled(&mut self) -> bool {
        let recalls = *self.shared.wakeups.recalled.borrow();
        if std::mem::replace(&mut self.recalls, recalls) == recalls {
            return true;
        }
        let now = Instant::now();
        let pause = self
            .restraint
            .pause(now, &self.shared.wakeups.slow_stream, COMMANDS);
        tokio::select! {
            biased;
            () = self.shared.phase.reached(Phase::Quiet) => false,
            () = sleep(pause) => true,
        }
    }

    /// Checks, before this process gives up its lease, whether a job arrived as the connection was lost.
    async fn collect(&self, place: &store::Handoff) {
        let mut backoff = Backoff::default();
        let epoch = self.shared.tenure.epoch();
        loop {
            match place.may_wait(&self.shared.tenure.holder(epoch)).await {
                Ok(MayWait::Stranded(payload)) => return self.hand_over(epoch, payload).await,
                Err(error) if error.is_temporary() => backoff.wait().await,
                _ => return,
            }
        }
    }

    fn capsule(&self) -> &Capsule {
        &self.shared.capsules[self.index]
    }

    /// Hands over a job that is already in the list, or waits for one as long as that makes sense.
    async fn next(
        &self,
        place: &mut store::Handoff,
        direct_take: &mut Option<Arc<DirectTake>>,
    ) -> Result<(), StoreError> {
        // Subscribed before the check, so that no recall is missed between the check and the wait.
        let mut recalled = self.shared.wakeups.recalled.subscribe();
        let epoch = self.shared.tenure.epoch();
        let may_wait = place.may_wait(&self.shared.tenure.holder(epoch)).await;
        if matches!(may_wait, Err(StoreError::LeaseLost)) {
            self.shared.tenure.doubt(epoch);
        }
        let payload = match may_wait? {
            MayWait::Stranded(payload) => Some(payload),
            MayWait::Refused => {
                tokio::select! {
                    () = self.over(&mut recalled) => {}
                    () = sleep(REFUSED) => {}
                }
                None
            }
            // Jobs that came by hand-off have taken the free workers: the fetcher tells us when there are free ones
            // again.
            MayWait::Free if !self.capsule().has_room_for_handoffs() => {
                self.capsule().say_idle(false);
                None
            }
            MayWait::Free if !*self.capsule().idle.borrow() => None,
            MayWait::Free => return self.wait(place, direct_take, epoch, &mut recalled).await,
        };
        if let Some(payload) = payload {
            self.hand_over(epoch, payload).await;
        }
        Ok(())
    }

    /// Waits for one job, as long as that makes sense. A worker may take it first.
    async fn wait(
        &self,
        place: &mut store::Handoff,
        direct_take: &mut Option<Arc<DirectTake>>,
        epoch: u32,
        recalled: &mut watch::Receiver<u64>,
    ) -> Result<(), StoreError> {
        let client = place.connect().await?;
        let holder = self.shared.tenure.holder(epoch);
        let (pending, adopted) = self.pending_pop(epoch);
        let mut kept = Some(pending);
        self.fit(direct_take, place);
        if let Some(direct_take) = &direct_take {
            kept.take().into_iter().for_each(|it| direct_take.open(it));
        }
        let came = tokio::select! {
            payload = place.wait(&holder) => payload,
            error = self.recall(recalled, client) => Err(error),
        };
        if let Some(direct_take) = &direct_take {
            kept = direct_take.shut();
        }
        match (kept, came) {
            (Some(pending), Ok(Some(payload))) => self.admit(pending, payload, adopted).await,
            (Some(_), came) => {
                came?;
            }
            // Even if the connection has been lost since.
            (None, came) => {
                self.see_off(adopted).await;
                came?;
            }
        }
        Ok(())
    }

    /// Makes `direct_take` the one of the present connection.
    fn fit(&self, direct_take: &mut Option<Arc<DirectTake>>, place: &store::Handoff) {
        let is_open = self.shared.settings.shortcuts.has(Shortcut::DirectTake);
        let Some(peek) = place.peek().filter(|_| is_open) else {
            *direct_take = None;
            return;
        };
        let there = direct_take.take().filter(|it| Arc::ptr_eq(&it.peek, peek));
        let there = there.unwrap_or_else(|| Arc::new(DirectTake::new(peek, &self.shared)));
        let source: Arc<dyn WakeSource<Arc<Job>>> = Arc::clone(&there) as _;
        self.capsule().ready.watch_at(&source);
        *direct_take = Some(there);
    }

    /// Ends the wait once there is a reason to. Only an error makes this return.
    async fn recall(&self, recalled: &mut watch::Receiver<u64>, client: ClientId) -> StoreError {
        self.over(recalled).await;
        loop {
            if let Err(error) = self.store.unblock(client).await {
                return error;
            }
            // Repeated because the blocking command, on its own connection, may still be in transit.
            sleep(AGAIN).await;
        }
    }

    /// Completes when there is a reason to stop waiting.
    async fn over(&self, recalled: &mut watch::Receiver<u64>) {
        let mut idle = self.capsule().idle.subscribe();
        tokio::select! {
            _ = idle.wait_for(|it| !*it) => {}
            _ = recalled.changed() => {}
            () = self.shared.phase.reached(Phase::Quiet) => {}
        }
    }

    fn pending_pop(&self, epoch: u32) -> (PendingPop, oneshot::Receiver<()>) {
        let (adopted, done) = oneshot::channel();
        let pending = PendingPop {
            epoch,
            capsule: self.index,
            queue: Arc::clone(&self.queue),
            adopted,
        };
        (pending, done)
    }

    async fn hand_over(&self, epoch: u32, payload: Vec<u8>) {
        let (pending, adopted) = self.pending_pop(epoch);
        self.admit(pending, payload, adopted).await;
    }

    async fn admit(&self, pending: PendingPop, payload: Vec<u8>, adopted: oneshot::Receiver<()>) {
        let job = pending.admit(&self.shared, payload);
        if job.epoch == self.shared.tenure.epoch() {
            self.capsule().ready.push([job]);
            self.capsule().ready.hurry();
        } else {
            self.shared.return_unstarted(vec![job]);
        }
        self.see_off(adopted).await;
    }

    /// Completes once the list is empty again.
    async fn see_off(&self, adopted: oneshot::Receiver<()>) {
        if self.shared.phase.now() >= Phase::Quiet {
            // The fetcher may have collected the leftovers before this one arrived.
            let left = self.capsule().ready.reclaim();
            self.shared.settlements.push_all(left, || Outcome::Returned);
        }
        drop(adopted.await);
    }
}
