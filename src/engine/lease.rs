//! Holding the lease under which this process claims. Other processes' leases are `recovery`'s.

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
        shared.return_unstarted(capsule.ready.reclaim());
    }
    let lost = shared.tenure.holder(shared.tenure.epoch());
    let epoch = shared.tenure.next_epoch();
    // Whoever waits, waits under the lost name.
    shared.wakeups.recall();
    take(shared, store, epoch).await;
    // Normally it is among the orphans by now. If its entry vanished in some other way, nobody else would
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
