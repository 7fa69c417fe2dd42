//! Shutting down: going quiet, interrupting jobs, the last flush.

use std::convert::Infallible;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::engine::metrics;
use crate::engine::state::{Phase, Shared};
use crate::job::{Ended, Measure, Outcome};
use crate::store::{Store, StoreError};

/// How long a stopping process waits for Redis once its settlements are there.
const FAREWELL: Duration = Duration::from_secs(1);

impl Shared {
    /// No new jobs: every ready queue is closed. The fetchers return what no worker has started, once the claims that
    /// are under way have come back.
    pub fn quiet(&self) {
        self.phase.advance(Phase::Quiet);
        for capsule in &self.capsules {
            capsule.ready.close();
        }
        self.wakeups.signalled.notify_one();
    }

    /// How many jobs Redis would not know the fate of if the process ended now: their outcomes have not been handed in,
    /// or they were claimed and neither started nor returned. Recovery runs them again.
    pub fn unsettled(&self) -> usize {
        let ready = self.capsules.iter().map(|it| it.ready.demand(0).ready);
        self.settlements.unsettled() + ready.sum::<usize>()
    }

    /// Returns jobs that run on although their threads were interrupted. Each goes back to its queue unless its own
    /// settlement comes first: the store lets exactly one of the two count.
    pub(super) fn return_running(&self) {
        let running = self.busy.snapshot();
        for (_, it) in running {
            self.settlements.push(Ended {
                job: it.job,
                outcome: Outcome::Interrupted,
                elapsed: None,
                measure: Measure::Class,
            });
        }
    }
}

/// Completes when the shutdown has begun, nothing claims any more and Redis has every settlement. `fetching` closes
/// with the last fetcher.
pub(super) async fn flush(shared: &Shared, mut fetching: mpsc::Receiver<Infallible>) {
    shared.phase.reached(Phase::Finishing).await;
    while fetching.recv().await.is_some() {}
    shared.settlements.flushed().await;
}

/// Writes the last metrics, gives up the leases and leaves the registry. All of it expires or is recovered by itself,
/// so it is not worth a long wait. `beating` ends by itself when the shutdown begins.
pub(super) async fn say_goodbye(shared: &Shared, store: &Store, beating: &mut JoinSet<()>) {
    let farewell = async {
        while beating.join_next().await.is_some() {}
        metrics::flush_last(shared, store).await;
        for epoch in 1..=shared.tenure.epoch() {
            store.release_lease(&shared.tenure.holder(epoch)).await?;
        }
        let identity = &shared.settings.process.identity;
        for dialect in &shared.settings.dialects {
            let presence = dialect.presence(identity);
            store.clear_process(identity, &presence).await?;
        }
        Ok::<_, StoreError>(())
    };
    match tokio::time::timeout(FAREWELL, farewell).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!("could not leave the registry: {error}; the entry expires in 60 s");
        }
        Err(_) => tracing::warn!(
            "Redis does not answer; this process's entry in the registry expires in 60 s"
        ),
    }
}
