//! Writes what was measured. Apart from the heartbeat, which must not wait for it: there is as much of it as there are
//! classes of jobs.

use std::sync::Arc;

use tokio::time::sleep;

use crate::engine::state::outages::Attempts;
use crate::engine::state::{Phase, Shared};
use crate::store::{Store, StoreError};

/// As it is said when it fails.
const WRITE: &str = "write metrics";

/// Writes as often as the heart beats, until the engine finishes.
pub(super) async fn run(shared: Arc<Shared>, store: Store) {
    let mut attempts = shared.outages.attempts(WRITE);
    while shared.phase.now() < Phase::Finishing {
        tokio::select! {
            () = sleep(shared.settings.beat) => {}
            () = shared.phase.reached(Phase::Finishing) => return,
        }
        flush(&shared, &store, &mut attempts).await;
    }
}

/// Writes what there is at the end.
pub(super) async fn flush_last(shared: &Shared, store: &Store) {
    flush(shared, store, &mut shared.outages.attempts(WRITE)).await;
}

/// Writes what was measured since the last time. What cannot be written now is kept for the next time: the
/// next measurements must not wait for it.
async fn flush(shared: &Shared, store: &Store, attempts: &mut Attempts<'_>) {
    let Some(flush) = shared.stats.next_flush(shared.clock.now()) else {
        return;
    };
    let epoch = shared.tenure.epoch();
    let holder = shared.tenure.holder(epoch);
    match store
        .apply_metrics(&holder, flush.sequence, &flush.writes)
        .await
    {
        Ok(_) => attempts.worked(),
        // Of a wrong type, say: it would be refused again.
        Err(error @ StoreError::Unexpected(_)) => {
            tracing::error!("cannot write metrics: {error}; those of the last seconds are lost");
            attempts.worked();
        }
        Err(error) => {
            // A lost lease is no outage, and the next one is being taken.
            if matches!(error, StoreError::LeaseLost) {
                shared.tenure.doubt(epoch);
            } else {
                attempts.failed(&error);
            }
            shared.stats.keep(flush);
        }
    }
}
