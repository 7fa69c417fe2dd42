//! Holding the lease, and recovering the jobs of those who lost theirs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::shared::{Phase, Shared};
use crate::job::patch;
use crate::store::{Store, StoreError};

/// How many recoveries of the same bytes within 72 hours make a poison pill.
const POISON_AFTER: u32 = 3;
/// Jobs moved by one recovery step.
const STEP: usize = 200;
/// Bytes read by one recovery step.
const STEP_BYTES: usize = 4 << 20;
/// Rounds after which lists of hand-offs are looked at although nobody died: something may reach one late.
const SWEEP: u32 = 6;
/// Orphans looked at in one round.
const ORPHANS: usize = 16;

/// Renews the lease three times per period, until the engine finishes.
pub(super) async fn hold(shared: Arc<Shared>, store: Store) {
    let period = shared.settings.lease;
    loop {
        tokio::time::sleep(period / 3).await;
        let holder = shared.holder(shared.epoch());
        let mut asked = Instant::now();
        let held = shared
            .insist("renew the lease", || {
                asked = Instant::now();
                store.renew_lease(&holder, period)
            })
            .await;
        if held {
            shared.lease_holds_until(asked + period);
        } else {
            replace(&shared, &store).await;
        }
    }
}

/// The lease was taken over: fences this process and starts it anew under another name. What runs
/// goes on running; its settlements go out under the old name and count only as far as nobody has
/// moved the job yet.
async fn replace(shared: &Shared, store: &Store) {
    tracing::warn!(
        "lease lost: another process takes over what this one had claimed, because it could not reach \
         Redis for {} s, was suspended, or Redis came back without its data",
        shared.settings.lease.as_secs()
    );
    for capsule in &shared.capsules {
        // Claimed under the lost lease and not started: they come back through recovery.
        drop(capsule.ready.reclaim());
    }
    let lost = shared.holder(shared.epoch());
    take(shared, store, shared.next_epoch()).await;
    // Normally it is among the orphans by now. If its entry vanished in some other way, nobody else would
    // ever look for its jobs.
    shared
        .insist("give up the lost lease", || store.abandon(&lost))
        .await;
}

/// Takes the lease of `epoch`, which must exist before anything is claimed under it.
pub(super) async fn take(shared: &Shared, store: &Store, epoch: u32) {
    let holder = shared.holder(epoch);
    let period = shared.settings.lease;
    let mut asked = Instant::now();
    shared
        .insist("take a lease", || {
            asked = Instant::now();
            store.take_lease(&holder, period)
        })
        .await;
    shared.lease_holds_until(asked + period);
}

/// Looks for expired leases twice per period and moves their jobs back.
pub(super) async fn recover(shared: Arc<Shared>, store: Store) {
    let period = shared.settings.lease;
    let mut round = 0_u32;
    while shared.phase() == Phase::Running {
        round = round.wrapping_add(1);
        tokio::select! {
            () = tokio::time::sleep(period / 2) => {}
            () = shared.reached(Phase::Quiet) => return,
        }
        if !settled_down(&store, period) {
            continue;
        }
        match orphans(&store, round.is_multiple_of(SWEEP)).await {
            Ok(orphans) => {
                shared.online("look for expired leases");
                for orphan in orphans {
                    recover_one(&shared, &store, &orphan).await;
                }
            }
            Err(error) => shared.offline("look for expired leases", &error),
        }
    }
}

/// In this order: of a holder whose lease has just ended, what was handed over is in its table then.
async fn orphans(store: &Store, sweep: bool) -> Result<Vec<String>, StoreError> {
    let orphans = store.expire_holders(ORPHANS).await?;
    if sweep || !orphans.is_empty() {
        store.sweep_handoffs().await?;
    }
    Ok(orphans)
}

/// After a (re)connect everybody gets one lease period to renew, so that an outage of Redis does
/// not make each process inherit the jobs of all others.
fn settled_down(store: &Store, period: Duration) -> bool {
    store
        .connected_since()
        .is_some_and(|since: Instant| since.elapsed() >= period)
}

async fn recover_one(shared: &Shared, store: &Store, holder: &str) {
    let (mut requeued, mut buried) = (0, 0);
    loop {
        let now = shared.clock.now();
        let step = store
            .recover(holder, STEP, STEP_BYTES, POISON_AFTER, now, poisoned)
            .await;
        match step {
            Ok(step) => {
                shared.online("recover jobs");
                requeued += step.requeued;
                buried += step.buried.len();
                if step.done {
                    break;
                }
            }
            Err(error @ (StoreError::Unavailable(_) | StoreError::Refused(_))) => {
                shared.offline("recover jobs", &error);
                break;
            }
            Err(error) => {
                tracing::error!("cannot recover the jobs of {holder}: {error}");
                break;
            }
        }
    }
    if requeued > 0 {
        tracing::warn!("recovered {requeued} job(s) that {holder} was running when it died");
    }
    if buried > 0 {
        tracing::error!(
            "moved {buried} job(s) of {holder} to the dead set: each had brought down its process \
             {POISON_AFTER} times"
        );
    }
}

/// What the dead set shows of a job that brought down its process again and again.
fn poisoned(payload: &[u8]) -> Vec<u8> {
    let message = format!(
        "\"the process that ran this job died {POISON_AFTER} times in a row; it may be what killed it\""
    );
    let fields: [(&str, &[u8]); 2] = [
        ("error_class", b"\"Footplate::PoisonPill\""),
        ("error_message", message.as_bytes()),
    ];
    // What is no object shows as it is.
    patch(payload, &fields).unwrap_or_else(|_| payload.to_vec())
}
