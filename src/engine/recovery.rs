//! Recovering the jobs of processes that no longer hold their lease.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::engine::overdue::Overdue;
use crate::engine::state::{Phase, Shared};
use crate::store::{Store, StoreError};

/// After this many recoveries of the same bytes within 72 hours a job is a poison pill.
const POISON_AFTER: u32 = 3;
/// Jobs moved by one recovery step.
const STEP: usize = 200;
/// Bytes read by one recovery step.
const STEP_BYTES: usize = 4 << 20;
/// Orphans looked at in one round.
const ORPHANS: usize = 16;
/// Lists of hand-offs are checked once in this many looks even though nobody died: a job may reach one late.
const SWEEP: u32 = 9;

/// Looks at the leases three times per period, as often as they are renewed, and puts the jobs of dead holders back.
pub(super) async fn run(shared: Arc<Shared>, store: Store) {
    let period = shared.settings.lease;
    let mut watch = Watch {
        overdue: Overdue::new(period),
        since: store.connected_since(),
        looks: 0,
    };
    let mut looking = shared.outages.attempts("look for expired leases");
    let mut recovering = shared.outages.attempts("recover jobs");
    while shared.phase.now() == Phase::Running {
        match watch.orphans(&shared, &store).await {
            Ok(None) => looking.worked(),
            Ok(Some(orphans)) => {
                looking.worked();
                match recover_all(&shared, &store, &orphans).await {
                    Err(error) => recovering.failed(&error),
                    // Also when another process has done it meanwhile.
                    Ok(()) => recovering.worked(),
                }
            }
            Err(error) => looking.failed(&error),
        }
        tokio::select! {
            () = tokio::time::sleep(period / 3) => {}
            () = shared.phase.reached(Phase::Quiet) => return,
        }
    }
}

struct Watch {
    overdue: Overdue,
    /// Since when Redis has been connected, as last seen.
    since: Option<Instant>,
    looks: u32,
}

impl Watch {
    /// The holders whose jobs to recover, or `None` while no recovery may begin yet.
    async fn orphans(
        &mut self,
        shared: &Shared,
        store: &Store,
    ) -> Result<Option<Vec<String>>, StoreError> {
        // After an outage every holder gets a period to renew: it begins anew with each connection.
        if self.since != store.connected_since() {
            self.since = store.connected_since();
            self.overdue.forget();
        }
        let own = shared.tenure.holder(shared.tenure.epoch());
        let mut overdue = self.overdue.at(Instant::now());
        overdue.retain(|lease| lease.holder != own);
        let seen = store.look_at_leases(&overdue, ORPHANS).await?;
        self.overdue.saw(Instant::now(), seen.held);
        self.looks = self.looks.wrapping_add(1);
        if !settled_down(store, shared.settings.lease) {
            return Ok(None);
        }
        // In this order: if a holder's lease has just ended, its handed-over jobs are in its table by then.
        if !seen.orphans.is_empty() || self.looks.is_multiple_of(SWEEP) {
            store.sweep_handoffs().await?;
        }
        Ok(Some(seen.orphans))
    }
}

/// After a (re)connect every holder gets one lease period to renew, so that an outage of Redis does not make each
/// process inherit the jobs of all others.
fn settled_down(store: &Store, period: Duration) -> bool {
    store
        .connected_since()
        .is_some_and(|since| since.elapsed() >= period)
}

/// A holder that cannot be recovered does not keep the others from recovery.
async fn recover_all(shared: &Shared, store: &Store, orphans: &[String]) -> Result<(), StoreError> {
    let mut all = Ok(());
    for orphan in orphans {
        all = all.and(recover(shared, store, orphan).await);
    }
    all
}

/// Fails if it should be tried again for a reason that does not lie with the holder.
async fn recover(shared: &Shared, store: &Store, holder: &str) -> Result<(), StoreError> {
    let (mut requeued, mut buried) = (0, 0);
    let ended = loop {
        let poison = |queue: &str, payload: &[u8]| {
            let dialect = shared.settings.dialect_of(queue)?;
            Some(dialect.poisoned(payload, POISON_AFTER, shared.clock.now()))
        };
        let step = store
            .recover(holder, STEP, STEP_BYTES, POISON_AFTER, poison)
            .await;
        match step {
            Ok(step) => {
                requeued += step.requeued;
                buried += step.buried.len();
                if step.done {
                    break Ok(());
                }
            }
            Err(error) if error.is_temporary() => break Err(error),
            Err(error) => {
                tracing::error!("cannot recover the jobs of {holder}: {error}");
                break Ok(());
            }
        }
    };
    if requeued > 0 {
        tracing::warn!("recovered {requeued} job(s) that {holder} was running when it died");
    }
    if buried > 0 {
        tracing::error!(
            "moved {buried} job(s) of {holder} to the dead set: each had brought down its process \
             {POISON_AFTER} times"
        );
    }
    ended
}
