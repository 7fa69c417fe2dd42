//! Hands outcomes to Redis: many at once, retried until Redis has them. A worker only pushes onto a list
//! ([`Settlements`](crate::engine::state::settlements::Settlements)); the list survives any outage.

use std::sync::Arc;

use self::batches::{Way, in_order, way};
use crate::dialect::Note;
use crate::engine::backoff::Backoff;
use crate::engine::state::Shared;
use crate::engine::state::parcels::Sorted;
use crate::engine::state::settlements::HandedOver;
use crate::job::{Ended, Job, Parcel, Queue};
use crate::store::{Adoption, Leaving, Settlement, Store};

mod batches;
pub(super) mod refused;

/// How many parcels one call opens: together they have about as many jobs as one call settles.
const OPENED: usize = 8;

/// Runs until the engine's runtime ends.
pub(super) async fn run(shared: Arc<Shared>, store: Store) {
    let flush = async |handed_over, sorted| {
        for it in handed_over {
            adopt(&shared, &store, it).await;
        }
        flush(&shared, &store, sorted).await;
    };
    shared.settlements.serve(flush).await;
}

async fn adopt(shared: &Shared, store: &Store, HandedOver { job, adopted }: HandedOver) {
    let holder = shared.tenure.holder(job.epoch);
    // If it is no longer there, the lease was over, and the process that swept the job out of the list has made sure
    // that this one notices (sweep.lua). The job's settlement will find nothing either.
    let adoption = shared
        .outages
        .retry_until_ok("take over a job", || {
            store.adopt(&holder, &job.queue, job.token.0, &job.payload)
        })
        .await;
    if adoption != Adoption::Held {
        shared.tenure.doubt(job.epoch);
    }
    // Nobody waits for it when the process is ending.
    let _ = adopted.send(());
}

async fn flush(shared: &Shared, store: &Store, sorted: Sorted) {
    for ended in sorted.whole.iter().chain([&sorted.single]) {
        shared.stats.measure(ended);
    }
    // Nothing but their names is needed from here on: thousands of payloads need not wait for Redis's reply.
    let whole: Vec<Whole> = sorted.whole.into_iter().filter_map(Whole::of).collect();
    for parcels in whole.chunk_by(|a, b| (a.epoch, a.queue.dialect) == (b.epoch, b.queue.dialect)) {
        acknowledge_parcels(shared, store, parcels).await;
    }
    for jobs in sorted.opened.chunk_by(|a, b| a.epoch == b.epoch) {
        for some in jobs.chunks(OPENED) {
            open(shared, store, some).await;
        }
    }
    let mut single = sorted.single;
    for batch in in_order(&mut single) {
        // One call names one holder; jobs of an older lease are settled under its name.
        let holder = shared.tenure.holder(batch[0].job.epoch);
        match way(&batch[0].outcome) {
            Way::Acknowledge => acknowledge(shared, store, &holder, batch).await,
            Way::Return | Way::Settle => settle(shared, store, &holder, batch).await,
        }
    }
}

/// A parcel whose jobs have all succeeded.
struct Whole {
    epoch: u32,
    parcel: Parcel,
    queue: Arc<Queue>,
}

impl Whole {
    fn of(jobs: Vec<Ended>) -> Option<Self> {
        let job = &jobs.first()?.job;
        Some(Self {
            epoch: job.epoch,
            parcel: job.parcel?,
            queue: Arc::clone(&job.queue),
        })
    }
}

/// The parcels are of one lease and one dialect.
async fn acknowledge_parcels(shared: &Shared, store: &Store, parcels: &[Whole]) {
    let epoch = parcels[0].epoch;
    let counters = counters(shared, &parcels[0].queue);
    let holder = shared.tenure.holder(epoch);
    let names: Vec<_> = parcels.iter().map(|it| (it.parcel, &*it.queue)).collect();
    let kept = shared
        .outages
        .retry_until_ok("acknowledge jobs", || {
            store.acknowledge_parcels(&holder, &names, &counters)
        })
        .await;
    let count = parcels.iter().map(|it| it.parcel.count as usize).sum();
    shared.settlements.settled(count);
    report_lost(shared, epoch, count, kept);
}

/// `jobs` are one job from each parcel, all of one lease.
async fn open(shared: &Shared, store: &Store, jobs: &[Arc<Job>]) {
    let holder = shared.tenure.holder(jobs[0].epoch);
    let names: Vec<_> = jobs
        .iter()
        .filter_map(|job| Some((job.parcel?, &*job.queue)))
        .collect();
    shared
        .outages
        .retry_until_ok("settle jobs", || store.open_parcels(&holder, &names))
        .await;
}

/// The counters that a success of this queue's dialect moves.
fn counters(shared: &Shared, queue: &Queue) -> Vec<Note> {
    let dialect = shared.settings.dialect(queue);
    dialect.success(shared.clock.now())
}

async fn acknowledge(shared: &Shared, store: &Store, holder: &str, batch: &[Ended]) {
    let tokens: Vec<(u64, &Queue)> = batch
        .iter()
        .map(|it| (it.job.token.0, &*it.job.queue))
        .collect();
    let counters = counters(shared, &batch[0].job.queue);
    let kept = shared
        .outages
        .retry_until_ok("acknowledge jobs", || {
            store.acknowledge(holder, &tokens, &counters)
        })
        .await;
    shared.settlements.settled(batch.len());
    report_lost(shared, batch[0].job.epoch, batch.len(), kept);
}

async fn settle(shared: &Shared, store: &Store, holder: &str, batch: &[Ended]) {
    let settlements = batch.iter().map(|it| settlement(shared, it));
    let settlements: Vec<Settlement<'_>> = settlements.collect();
    let mut attempts = shared.outages.attempts("settle jobs");
    let mut backoff = Backoff::default();
    let kept = loop {
        match store.settle(holder, &settlements).await {
            Ok(kept) => break kept,
            Err(error) if error.is_temporary() => attempts.failed(&error),
            // Some of the batch went through; the rest is tried again below, one by one.
            Err(_) if batch.len() > 1 => return one_by_one(shared, store, holder, batch).await,
            // The job stays in the in-flight table; others must not wait for it.
            Err(error) => {
                tracing::error!(
                    "cannot settle a job of queue {}: {error}; it is kept and tried again, and recovered if this process \
                     ends before",
                    batch[0].job.queue.name
                );
                shared.settlements.settled(1);
                batch.iter().cloned().for_each(|it| shared.keep_refused(it));
                return;
            }
        }
        backoff.wait().await;
    };
    attempts.worked();
    shared.settlements.settled(batch.len());
    if way(&batch[0].outcome) != Way::Return {
        let kept = kept.into_iter().filter(|it| *it).count();
        report_lost(shared, batch[0].job.epoch, batch.len(), kept);
    }
}

async fn one_by_one(shared: &Shared, store: &Store, holder: &str, batch: &[Ended]) {
    // In the same order as the script, for the sake of what goes back.
    for ended in batch.iter().rev() {
        Box::pin(settle(shared, store, holder, std::slice::from_ref(ended))).await;
    }
}

fn settlement<'a>(shared: &Shared, ended: &'a Ended) -> Settlement<'a> {
    let Ended { job, outcome, .. } = ended;
    let dialect = shared.settings.dialect(&job.queue);
    Settlement {
        token: job.token.0,
        queue: &job.queue,
        leaving: Leaving::of(outcome),
        writes: dialect.settle(outcome, &job.queue, shared.clock.now()),
    }
}

/// A call repeated after a lost reply finds nothing either: only a lost lease shows that others have the jobs.
fn report_lost(shared: &Shared, epoch: u32, count: usize, kept: usize) {
    if epoch < shared.tenure.epoch() && kept < count {
        tracing::warn!(
            "{} finished job(s) had already been taken over by another process, which runs them again: \
             this process could not renew its lease in time",
            count - kept
        );
    }
}
