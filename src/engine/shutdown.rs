//! The way out: quiet, interrupted jobs, the last flush.

use std::sync::Arc;

use super::heartbeat;
use super::outcome::{Ended, Outcome};
use super::shared::{Phase, Shared};
use crate::store::Store;

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

/// Flushes everything and says goodbye. Settlements are repeated until Redis has them; the registry
/// entry, which expires by itself, is not worth waiting for.
pub(super) async fn finish(shared: &Arc<Shared>, store: &Store) {
    shared.reached(Phase::Finishing).await;
    shared.settlements.flushed().await;
    let farewell = async {
        heartbeat::flush_metrics(shared, store).await;
        for epoch in 1..=shared.epoch() {
            let _left = store.release_lease(&shared.holder(epoch)).await;
        }
        store.clear_process(&shared.settings.process.identity).await
    };
    if let Ok(Err(error)) = tokio::time::timeout(heartbeat::FAREWELL, farewell).await {
        tracing::warn!(
            "could not remove this process from the registry: {error}; it expires in 60 s"
        );
    }
}
