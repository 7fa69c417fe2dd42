//! Writes what was measured. Apart from the heartbeat, which must not wait for it: there is as much of it as there are
//! classes of jobs.

use std::sync::Arc;

use tokio::time::sleep;

use super::outage::Attempts;
use super::shared::{Phase, Shared};
use super::sync::lock;
use crate::dialect::MetricsWrite;
use crate::store::{Store, StoreError};

/// As it is said when it fails.
const WRITE: &str = "write metrics";

/// Writes as often as the heart beats, until the engine finishes.
pub(super) async fn run(shared: Arc<Shared>, store: Store) {
    let mut attempts = shared.attempts(WRITE);
    while shared.phase() < Phase::Finishing {
        tokio::select! {
            () = sleep(shared.settings.beat) => {}
            () = shared.reached(Phase::Finishing) => return,
        }
        flush(&shared, &store, &mut attempts).await;
    }
}

/// Writes what there is at the end.
pub(super) async fn flush_last(shared: &Shared, store: &Store) {
    flush(shared, store, &mut shared.attempts(WRITE)).await;
}

/// Measurements on their way to Redis, under the number that keeps them from being counted twice.
pub(super) struct Flush {
    sequence: u64,
    writes: Vec<MetricsWrite>,
}

/// Writes what was measured since the last time. What cannot be written now is kept for the next time: the
/// next measurements must not wait for it.
async fn flush(shared: &Shared, store: &Store, attempts: &mut Attempts<'_>) {
    let kept = lock(&shared.unwritten).take();
    let Some(flush) = kept.or_else(|| measured(shared)) else {
        return;
    };
    let epoch = shared.epoch();
    let holder = shared.holder(epoch);
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
                shared.doubt_lease(epoch);
            } else {
                attempts.failed(&error);
            }
            *lock(&shared.unwritten) = Some(flush);
        }
    }
}

fn measured(shared: &Shared) -> Option<Flush> {
    let now = shared.clock.now();
    let mut metrics = lock(&shared.metrics);
    let writes = metrics.iter_mut().flat_map(|it| it.drain(now));
    let writes: Vec<_> = writes.collect();
    (!writes.is_empty()).then(|| Flush {
        sequence: shared.next_flush(),
        writes,
    })
}
