//! Passes Redis's invalidation messages to the tasks they concern. A key that concerns none here costs one table
//! lookup.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::engine::state::Shared;
use crate::engine::state::restraint::Restraint;
use crate::engine::state::wakeups::{Concern, Wakeups};
use crate::store::{Store, Touched};

/// How often to ask Redis again to report touched keys after a refusal: a permission may have been granted.
const ASK: Duration = Duration::from_secs(5);
/// Consecutive rounds that are free: see restraint.rs.
const ROUNDS_IN_HAND: u32 = 2;

/// Wakes the tasks that the touched key concerns.
fn ring(shared: &Shared, key: &str) {
    let wakeups = &shared.wakeups;
    match wakeups.concern(key) {
        None => {}
        Some(Concern::Queue(served)) => {
            for (capsule, place) in served {
                shared.capsules[*capsule].touches.add(*place);
            }
        }
        Some(Concern::Due(set)) => wakeups.due_sets[*set].touched.notify_one(),
        Some(Concern::Signals) => wakeups.signalled.notify_one(),
        Some(Concern::Handoffs) => wakeups.recall(),
        Some(Concern::Paused) => call_a_round(wakeups),
    }
}

/// Requests a look at everything because of what other clients did, who may do it as often as they like.
fn call_a_round(wakeups: &Wakeups) {
    wakeups.recall();
    wakeups.everything_touched.notify_one();
}

fn ring_all(shared: &Shared) {
    for capsule in &shared.capsules {
        capsule.touches.add_all();
    }
    for set in &shared.wakeups.due_sets {
        set.touched.notify_one();
    }
}

/// Has every task look when others may have changed anything: in rounds, which must not follow each other too closely.
pub(super) async fn rounds(shared: Arc<Shared>) {
    let looks =
        u32::try_from(shared.capsules.len() + shared.wakeups.due_sets.len()).unwrap_or(u32::MAX);
    let mut restraint = Restraint::among(shared.capsules.len(), ROUNDS_IN_HAND);
    loop {
        shared.wakeups.everything_touched.notified().await;
        sleep(restraint.pause(Instant::now(), &shared.wakeups.slow_stream, looks)).await;
        ring_all(&shared);
    }
}

/// Wakes the tasks that wait for what was touched. Logs when Redis begins or stops reporting it.
pub(super) async fn run(
    shared: Arc<Shared>,
    store: Store,
    mut touched: mpsc::UnboundedReceiver<Touched>,
) {
    let (mut told, mut connected) = (store.is_told(), false);
    while let Some(message) = touched.recv().await {
        match message {
            Touched::Keys(keys) => keys.iter().for_each(|key| ring(&shared, key)),
            // The task that looks makes the new connection, so that the messages go on.
            Touched::Lost => {
                connected = false;
                shared.wakeups.recall();
                ring_all(&shared);
            }
            Touched::Everything if connected && told == store.is_told() => {
                call_a_round(&shared.wakeups);
            }
            Touched::Everything => {
                connected = true;
                let before = std::mem::replace(&mut told, store.is_told());
                if before && !told {
                    tracing::warn!(
                        "Redis does not tell any more when a queue gets a job (may its user call CLIENT TRACKING?): \
                         the queues are polled until it does"
                    );
                } else if told && !before {
                    tracing::info!("Redis tells when a queue gets a job now: no more polling");
                }
                shared.wakeups.recall();
                ring_all(&shared);
            }
        }
    }
}

/// Asks Redis to report touched keys, wherever that was refused.
pub(super) async fn ask(store: Store) {
    loop {
        sleep(ASK).await;
        // The task that needs the connection reports what is wrong with it.
        if let Err(error) = store.ask_to_be_told().await {
            tracing::debug!("not told of touched keys yet: {error}");
        }
    }
}
