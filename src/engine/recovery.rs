//! Recovering the jobs of processes that hold their lease no longer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::engine::overdue::Overdue;
use crate::engine::state::{Phase, Shared};
use crate::store::{Store, StoreError};

/// How many recoveries of the same bytes within 72 hours make a poison pill.
const POISON_AFTER: u32 = 3;
/// Jobs moved by one recovery step.
const STEP: usize = 200;
/// Bytes read by one recovery step.
const STEP_BYTES: usize = 4 << 20;
/// Orphans looked at in one round.
const ORPHANS: usize = 16;
/// Looks after which lists of hand-offs are looked at although nobody died: something may reach one late.
const SWEEP: u32 = 9;

/// Looks at the leases three times per period, as often as they are renewed, and moves the jobs of the dead back.
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
                    // Also when somebody else has done it meanwhile.
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
    /// When there was Redis last after an outage.
    since: Option<Instant>,
    looks: u32,
}

impl Watch {
    /// Whose jobs to recover, or `None` as long as nobody's.
    async fn orphans(
        &mut self,
        shared: &Shared,
        store: &Store,
    ) -> Result<Option<Vec<String>>, StoreError> {
        // Everybody gets a period to renew after an outage: it begins anew with each connection.
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
        // In this order: of a holder whose lease has just ended, what was handed over is in its table then.
        if !seen.orphans.is_empty() || self.looks.is_multiple_of(SWEEP) {
            store.sweep_handoffs().await?;
        }
        Ok(Some(seen.orphans))
    }
}

/// After a (re)connect everybody gets one lease period to renew, so that an outage of Redis does
/// not make each process inherit the jobs of all others.
fn settled_down(store: &Store, period: Duration) -> bool {
    store
        .connected_since()
        .is_some_and(|since| since.elapsed() >= period)
}

/// What keeps one from being recovered does not keep the others.
async fn recover_all(shared: &Shared, store: &Store, orphans: &[String]) -> Result<(), StoreError> {
    let mut all = Ok(());
    for orphan in orphans {
        all = all.and(recover(shared, store, orphan).await);
    }
    all
}

/// Fails if it is to be tried again for a reason that is not the holder's.
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
