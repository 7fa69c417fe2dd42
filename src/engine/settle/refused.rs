//! Settlements that Redis has refused for good, because of a key of a wrong type. Somebody may repair that while the
//! process lives, so they are retried from time to time; otherwise recovery runs the jobs once more.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::settlement;
use crate::engine::state::Shared;
use crate::engine::sync::lock;
use crate::job::Ended;
use crate::store::{Store, StoreError};

/// The interval between retries.
const AGAIN: Duration = Duration::from_secs(10);
/// Retries them as long as the engine runs.
pub(in crate::engine) async fn run(shared: Arc<Shared>, store: Store) {
    loop {
        sleep(AGAIN).await;
        round(&shared, &store).await;
    }
}

/// Retries them in order, up to one that is refused again: that goes behind all the others.
async fn round(shared: &Shared, store: &Store) {
    let (count, mut settled) = (lock(&shared.refused).len(), 0);
    for _ in 0..count {
        let Some(ended) = lock(&shared.refused).pop_front() else {
            break;
        };
        if let Err(error) = settle(shared, store, &ended).await {
            tracing::debug!("still not settled: {error}");
            lock(&shared.refused).push_back(ended);
            break;
        }
        settled += 1;
    }
    if settled > 0 {
        tracing::info!("settled {settled} job(s) that Redis had refused");
    }
}

async fn settle(shared: &Shared, store: &Store, ended: &Ended) -> Result<(), StoreError> {
    let holder = shared.tenure.holder(ended.job.epoch);
    let settlements = [settlement(shared, ended)];
    store.settle(&holder, &settlements).await.map(drop)
}
