//! While a capsule is idle, takes the jobs of one of its queues as they come, one round trip earlier than
//! the fetcher could (see store/handoff.rs). The fetcher says when it is idle, and goes on looking.

use std::cell::Cell;
use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
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
const RECALL: Duration = Duration::from_millis(5);
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
        let mut unsure = false;
        loop {
            let mut idle = self.capsule().idle.subscribe();
            tokio::select! {
                biased;
                () = self.shared.reached(Phase::Quiet) => break,
                // The sender lives in the capsule: waiting cannot fail.
                _ = idle.wait_for(|it| *it) => {}
            }
            match self.next(&mut place).await {
                Ok(()) => {
                    patience = Patience::default();
                    unsure = false;
                }
                Err(StoreError::Denied(why)) => {
                    tracing::debug!("no hand-off of jobs from queue {}: {why}", self.queue);
                    return;
                }
                // The fetcher says what is wrong with Redis.
                Err(_) => {
                    unsure = true;
                    tokio::select! {
                        () = patience.wait() => {}
                        () = self.shared.reached(Phase::Quiet) => break,
                    }
                }
            }
        }
        if unsure {
            self.collect(&place).await;
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

    /// Waits for one job, as long as that makes sense, and hands it over.
    async fn next(&self, place: &mut store::Handoff) -> Result<(), StoreError> {
        let client = place.connect().await?;
        let epoch = self.shared.epoch();
        let holder = self.shared.holder(epoch);
        let payload = match place.park(&holder).await? {
            Parking::Stranded(payload) => Some(payload),
            Parking::Refused => {
                tokio::select! {
                    () = self.over() => {}
                    () = sleep(REFUSED) => {}
                }
                return Ok(());
            }
            Parking::Free => {
                tokio::select! {
                    payload = place.wait(&holder) => payload?,
                    error = self.recall(client) => return Err(error),
                }
            }
        };
        if let Some(payload) = payload {
            self.hand_over(epoch, payload).await;
        }
        Ok(())
    }

    /// Ends the waiting once there is a reason to. Only an error ends this one.
    async fn recall(&self, client: ClientId) -> StoreError {
        self.over().await;
        loop {
            if let Err(error) = self.store.unblock(client).await {
                return error;
            }
            // Again: the command to wait may be still on its way, on a connection of its own.
            sleep(RECALL).await;
        }
    }

    /// Completes when there is a reason not to wait any longer.
    async fn over(&self) {
        let mut idle = self.capsule().idle.subscribe();
        tokio::select! {
            _ = idle.wait_for(|it| !*it) => {}
            () = self.shared.paused_touched.notified() => {}
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
