//! The way out: quiet, interrupted jobs, the last flush.

use std::time::Duration;

use tokio::task::JoinSet;

use super::heartbeat;
use super::outcome::{Ended, Outcome};
use super::shared::{Phase, Shared};
use crate::store::Store;

/// How long a process that ends waits for Redis once its settlements are there.
const PATIENCE: Duration = Duration::from_secs(2);

impl Shared {
    /// No new jobs: every queue to the workers is closed, and what none of them has started goes
    /// back to where it was, in order.
    pub fn quiet(&self) {
        self.advance(Phase::Quiet);
        for capsule in &self.capsules {
            let left = capsule.ready.close();
            if !left.is_empty() {
                self.settlements.push_all(left, || Outcome::Returned);
            }
        }
        self.signalled.notify_one();
    }

    /// Jobs that run on although their threads were interrupted. Each goes back to its queue unless
    /// its own settlement comes first: the store lets exactly one of the two count.
    pub(super) fn return_running(&self) {
        let running = self.busy.snapshot();
        for (_, it) in running {
            self.settlements.push(Ended {
                job: it.job,
                outcome: Outcome::Interrupted,
                elapsed: None,
            });
        }
    }
}

/// Completes when the end has begun and Redis has every settlement.
pub(super) async fn flush(shared: &Shared) {
    shared.reached(Phase::Finishing).await;
    shared.settlements.flushed().await;
}

/// Writes the last metrics, gives up the leases and leaves the registry. All of it expires or is recovered
/// by itself, so it is not worth waiting for long. `beating` ends by itself at the end's beginning.
pub(super) async fn say_goodbye(shared: &Shared, store: &Store, beating: &mut JoinSet<()>) {
    let farewell = async {
        while beating.join_next().await.is_some() {}
        heartbeat::flush_metrics(shared, store).await;
        for epoch in 1..=shared.epoch() {
            store.release_lease(&shared.holder(epoch)).await?;
        }
        store.clear_process(&shared.settings.process.identity).await
    };
    match tokio::time::timeout(PATIENCE, farewell).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!("could not leave the registry: {error}; the entry expires in 60 s");
        }
        Err(_) => tracing::warn!(
            "Redis does not answer; this process's entry in the registry expires in 60 s"
        ),
    }
}
