//! Writes execution metrics. Separate from the heartbeat, which must not wait for it: there is as much to write as
//! there are job classes.

use std::sync::Arc;

use tokio::time::sleep;

use crate::engine::state::outages::Attempts;
use crate::engine::state::{Phase, Shared};
use crate::store::{Store, StoreError};

/// Names the operation in failure reports.
const WRITE: &str = "write metrics";

/// Writes at the interval of the heartbeat, until the engine finishes.
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

/// Writes what is left at the end.
pub(super) async fn flush_last(shared: &Shared, store: &Store) {
    flush(shared, store, &mut shared.outages.attempts(WRITE)).await;
}

/// Writes what was measured since the last time. What cannot be written now is kept for the next time: newer
/// measurements must not wait for it.
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
        // A key of a wrong type, for example: it would be refused again.
        Err(error @ StoreError::Unexpected(_)) => {
            tracing::error!("cannot write metrics: {error}; those of the last seconds are lost");
            attempts.worked();
        }
        Err(error) => {
            // A lost lease is no outage, and a new one is being taken.
            if matches!(error, StoreError::LeaseLost) {
                shared.tenure.doubt(epoch);
            } else {
                attempts.failed(&error);
            }
            shared.stats.keep(flush);
        }
    }
}
