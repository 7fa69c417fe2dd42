//! While a capsule is idle, takes the jobs of one of its queues as they come, one round trip earlier than
//! the fetcher could (see store/handoff.rs). The fetcher says when it is idle, and goes on looking.

use std::cell::Cell;
use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::sleep;

use super::outcome::Outcome;
use super::settler::HandedOver;
use super::shared::{Capsule, Patience, Phase, Shared};
use crate::job::{Envelope, Job, Token};
use crate::store::{self, ClientId, Parking, Store, StoreError};

/// How many queues of a capsule are waited at: each takes a connection, and a job that the fetcher did not
/// ask for, so that more workers than these must be free.
pub(super) const HANDOFFS: usize = 3;
/// Tokens of jobs that come this way begin here: above those of all claims.
pub(super) const FIRST_TOKEN: u64 = 1 << 52;
/// How soon to say again that the waiting is over.
const AGAIN: Duration = Duration::from_millis(5);
/// How long after a lost connection the server may still move a job for it: it may not know of the loss,
/// and wait as long as it was told to.
const LATE: Duration = Duration::from_secs(35);
/// How often to look for such a job.
const LOOK: Duration = Duration::from_secs(1);
/// After a refusal. Most end with a message, some only with time.
const REFUSED: Duration = Duration::from_secs(5);

/// Waits at one queue until the engine goes quiet.
pub(super) struct Handoff {
    pub(super) shared: Arc<Shared>,
    pub(super) store: Store,
    /// Of the capsule.
    pub(super) index: usize,
    pub(super) queue: Arc<str>,
    /// The next token, for all queues.
    pub(super) tokens: Rc<Cell<u64>>,
    /// As the fetchers': whoever has the other end knows when nothing can come any more.
    pub(super) _busy: mpsc::Sender<Infallible>,
}

impl Handoff {
    pub(super) async fn run(self) {
        let mut place = self.store.handoff(&self.queue);
        let mut patience = Patience::default();
        let mut late_until: Option<Instant> = None;
        while self.occasion(late_until.is_some()).await {
            match self.next(&mut place).await {
                Ok(()) => patience = Patience::default(),
                Err(StoreError::Denied(why)) => {
                    tracing::debug!("no hand-off of jobs from queue {}: {why}", self.queue);
                    return;
                }
                // The fetcher says what is wrong with Redis, the lease's task takes a new one.
                Err(_) => {
                    late_until = Some(Instant::now() + LATE);
                    tokio::select! {
                        () = patience.wait() => {}
                        () = self.shared.reached(Phase::Quiet) => {}
                    }
                }
            }
            late_until = late_until.filter(|it| Instant::now() < *it);
        }
        if late_until.is_some() {
            self.collect(&place).await;
        }
    }

    /// Waits for a reason to look at the list: an idle capsule, or, after a lost connection, some time. `false`
    /// when the engine is quiet.
    async fn occasion(&self, late: bool) -> bool {
        let mut idle = self.capsule().idle.subscribe();
        tokio::select! {
            biased;
            () = self.shared.reached(Phase::Quiet) => false,
            // The sender lives in the capsule: waiting cannot fail.
            _ = idle.wait_for(|it| *it) => true,
            () = sleep(LOOK), if late => true,
        }
    }

    /// Looks whether a job came when the connection was lost, before this process gives up its lease.
    async fn collect(&self, place: &store::Handoff) {
        let mut patience = Patience::default();
        let epoch = self.shared.epoch();
        loop {
            match place.park(&self.shared.holder(epoch)).await {
                Ok(Parking::Stranded(payload)) => return self.hand_over(epoch, payload).await,
                Err(error) if error.is_temporary() => patience.wait().await,
                _ => return,
            }
        }
    }

    fn capsule(&self) -> &Capsule {
        &self.shared.capsules[self.index]
    }

    /// Hands over a job that lies in the list already, or waits for one, as long as that makes sense.
    async fn next(&self, place: &mut store::Handoff) -> Result<(), StoreError> {
        // Before the look, so that nothing is missed between it and the waiting.
        let mut recalled = self.shared.recalled.subscribe();
        let epoch = self.shared.epoch();
        let holder = self.shared.holder(epoch);
        let payload = match place.park(&holder).await? {
            Parking::Stranded(payload) => Some(payload),
            Parking::Refused => {
                tokio::select! {
                    () = self.over(&mut recalled) => {}
                    () = sleep(REFUSED) => {}
                }
                None
            }
            // The jobs that came by hand-off have taken the free workers: the fetcher says when there are others.
            Parking::Free if !self.capsule().has_room_for_handoffs() => {
                self.capsule().say_idle(false);
                None
            }
            Parking::Free if !*self.capsule().idle.borrow() => None,
            Parking::Free => {
                let client = place.connect().await?;
                tokio::select! {
                    payload = place.wait(&holder) => payload?,
                    error = self.recall(&mut recalled, client) => return Err(error),
                }
            }
        };
        if let Some(payload) = payload {
            self.hand_over(epoch, payload).await;
        }
        Ok(())
    }

    /// Ends the waiting once there is a reason to. Only an error ends this one.
    async fn recall(&self, recalled: &mut watch::Receiver<u64>, client: ClientId) -> StoreError {
        self.over(recalled).await;
        loop {
            if let Err(error) = self.store.unblock(client).await {
                return error;
            }
            // Again: the command to wait may be still on its way, on a connection of its own.
            sleep(AGAIN).await;
        }
    }

    /// Completes when there is a reason not to wait any longer.
    async fn over(&self, recalled: &mut watch::Receiver<u64>) {
        let mut idle = self.capsule().idle.subscribe();
        tokio::select! {
            _ = idle.wait_for(|it| !*it) => {}
            _ = recalled.changed() => {}
            () = self.shared.reached(Phase::Quiet) => {}
        }
    }

    /// Completes once the list is empty again.
    async fn hand_over(&self, epoch: u32, payload: Vec<u8>) {
        let token = self.tokens.get();
        self.tokens.set(token + 1);
        let job = Arc::new(Job {
            token: Token(token),
            parcel: None,
            epoch,
            queue: Arc::clone(&self.queue),
            envelope: Envelope::read(&payload),
            payload: payload.into_boxed_slice(),
        });
        let (adopted, done) = oneshot::channel();
        self.shared.settlements.hand_over(HandedOver {
            job: Arc::clone(&job),
            adopted,
        });
        self.capsule().handed_over.fetch_add(1, Ordering::Relaxed);
        // If the lease was lost meanwhile, the job comes back through recovery.
        if epoch == self.shared.epoch() {
            self.capsule().ready.push([job]);
        }
        if self.shared.phase() >= Phase::Quiet {
            // The fetcher may have collected what was left before this came.
            let left = self.capsule().ready.reclaim();
            self.shared.settlements.push_all(left, || Outcome::Returned);
        }
        drop(done.await);
    }
}
