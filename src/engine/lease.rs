//! Holding the lease under which this process claims. The leases of other processes are the concern of `recovery`.

use std::sync::Arc;
use std::time::Instant;

use crate::engine::state::Shared;
use crate::store::Store;

/// Renews the lease three times per period, and whenever it may be gone (Redis came back without its data), until the
/// engine finishes.
pub(super) async fn hold(shared: Arc<Shared>, store: Store) {
    let period = shared.settings.lease;
    loop {
        tokio::select! {
            () = tokio::time::sleep(period / 3) => {}
            () = shared.tenure.doubted() => {}
        }
        let holder = shared.tenure.holder(shared.tenure.epoch());
        let mut asked = Instant::now();
        let held = shared
            .outages
            .retry_until_ok("renew the lease", || {
                asked = Instant::now();
                store.renew_lease(&holder, period)
            })
            .await;
        if held {
            shared.tenure.holds_until(asked + period);
        } else {
            replace(&shared, &store).await;
        }
    }
}

/// The lease was taken over: fences off this process and gives it a new lease under another name. Running jobs go on
/// running; their settlements are sent under the old name and count only for jobs that nobody has moved yet.
async fn replace(shared: &Shared, store: &Store) {
    tracing::warn!(
        "lease lost: another process takes over what this one had claimed, because it could not reach \
         Redis for {} s, was suspended, or Redis came back without its data",
        shared.settings.lease.as_secs()
    );
    for capsule in &shared.capsules {
        shared.return_unstarted(capsule.ready.reclaim());
    }
    let lost = shared.tenure.holder(shared.tenure.epoch());
    let epoch = shared.tenure.next_epoch();
    // Those who wait for a hand-off do so under the lost name.
    shared.wakeups.recall();
    take(shared, store, epoch).await;
    // The old holder is normally among the orphans by now. If its entry vanished in some other way, nobody else would
    // ever look for its jobs.
    shared
        .outages
        .retry_until_ok("give up the lost lease", || store.abandon(&lost))
        .await;
}

/// Takes the lease of `epoch`, which must exist before anything is claimed under it.
pub(super) async fn take(shared: &Shared, store: &Store, epoch: u32) {
    let holder = shared.tenure.holder(epoch);
    let period = shared.settings.lease;
    let mut asked = Instant::now();
    shared
        .outages
        .retry_until_ok("take a lease", || {
            asked = Instant::now();
            store.take_lease(&holder, period)
        })
        .await;
    shared.tenure.holds_until(asked + period);
}
