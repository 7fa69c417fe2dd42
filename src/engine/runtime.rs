//! The engine's thread: the runtime, the tasks on it, and what happens when one of them ends.

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Instant;

use tokio::sync::mpsc;
use tokio::task::{JoinSet, LocalSet, spawn_local};

use super::{
    StartError, dead_set, dispatch, heartbeat, lease, metrics, recovery, scheduler, settle,
    shutdown, start, types, unserved,
};
use crate::engine::claim::blocking_pop::Handoff;
use crate::engine::claim::{ClaimSequence, Fetcher, Idle, LargeIn, Pace, Stale, Unreadable};
use crate::engine::queue_order::QueueOrder;
use crate::engine::shortcuts::Shortcut;
use crate::engine::state::capsule::HANDOFFS;
use crate::engine::state::control::Control;
use crate::engine::state::{Phase, Shared};
use crate::engine::sync::Mutex;
use crate::store::{Store, Touched};

/// Runs the engine until it ends. Reports to `ready` once whether it started.
pub(super) fn run(shared: &Arc<Shared>, ready: &Sender<Result<(), StartError>>) {
    let runtime = match start::runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            report(ready, Err(error.into()));
            return;
        }
    };
    let local = LocalSet::new();
    local.block_on(&runtime, async {
        match start::start(shared).await {
            Ok((store, touched)) => {
                report(ready, Ok(()));
                supervise(shared, store, touched).await;
            }
            Err(error) => report(ready, Err(error)),
        }
    });
}

fn report(ready: &Sender<Result<(), StartError>>, result: Result<(), StartError>) {
    // The receiver is gone only when the starting thread is, and then nobody is left to notify.
    drop(ready.send(result));
}

/// Keeps the tasks going until the end. A task that ends by itself has panicked: a dead fetcher must not look like an
/// empty queue, so the process is asked to end.
async fn supervise(shared: &Arc<Shared>, store: Store, touched: mpsc::UnboundedReceiver<Touched>) {
    let mut lasting = JoinSet::new();
    lasting.spawn_local(settle::run(Arc::clone(shared), store.clone()));
    lasting.spawn_local(settle::refused::run(Arc::clone(shared), store.clone()));
    lasting.spawn_local(lease::hold(Arc::clone(shared), store.clone()));
    lasting.spawn_local(dead_set::trim(Arc::clone(shared), store.clone()));
    lasting.spawn_local(dispatch::run(Arc::clone(shared), store.clone(), touched));
    lasting.spawn_local(dispatch::rounds(Arc::clone(shared)));
    lasting.spawn_local(dispatch::ask(store.clone()));
    lasting.spawn_local(types::watch(Arc::clone(shared), store.clone()));

    let mut until_quiet = JoinSet::new();
    until_quiet.spawn_local(heartbeat::prune(Arc::clone(shared), store.clone()));
    until_quiet.spawn_local(recovery::run(Arc::clone(shared), store.clone()));
    for set in &shared.wakeups.due_sets {
        let set = Arc::clone(set);
        until_quiet.spawn_local(scheduler::run(Arc::clone(shared), store.clone(), set));
    }
    let (busy, fetching) = mpsc::channel(1);
    for handoff in handoffs(shared, &store, &busy) {
        until_quiet.spawn_local(handoff.run());
    }
    for fetcher in fetchers(shared, &store, busy) {
        until_quiet.spawn_local(fetcher.run());
    }
    let mut beating = JoinSet::new();
    beating.spawn_local(heartbeat::run(Arc::clone(shared), store.clone()));
    beating.spawn_local(metrics::run(Arc::clone(shared), store.clone()));

    // Ends by itself, so it is in none of the sets.
    drop(spawn_local(unserved::warn(
        Arc::clone(shared),
        store.clone(),
    )));

    let flushed = shutdown::flush(shared, fetching);
    tokio::pin!(flushed);
    let mut broken = false;
    loop {
        tokio::select! {
            () = &mut flushed => break,
            // Unless all of these live, nothing guarantees that the last settlements are ever confirmed: recovery deals
            // with their jobs.
            () = shared.phase.reached(Phase::Finishing), if broken => return,
            Some(ended) = lasting.join_next() => {
                broken = true;
                fault(shared, ended.err());
            }
            Some(Err(error)) = until_quiet.join_next() => fault(shared, Some(error)),
            Some(Err(error)) = beating.join_next() => fault(shared, Some(error)),
        }
    }
    // Above all the one that renews the lease, which is given up now.
    lasting.shutdown().await;
    shutdown::say_goodbye(shared, &store, &mut beating).await;
}

fn fault(shared: &Shared, error: Option<tokio::task::JoinError>) {
    let why = error.map_or_else(|| "ended".to_owned(), |it| it.to_string());
    shared.control.send(Control::Fault(format!(
        "a part of the engine failed ({why}); this process cannot go on"
    )));
}

fn fetchers(shared: &Arc<Shared>, store: &Store, busy: mpsc::Sender<Infallible>) -> Vec<Fetcher> {
    let sequence = Arc::new(Mutex::new(ClaimSequence::new(shared.tenure.epoch())));
    shared
        .settings
        .capsules
        .iter()
        .enumerate()
        .map(|(index, capsule)| {
            let order = QueueOrder::new(&capsule.queues, shared.settings.version);
            Fetcher {
                shared: Arc::clone(shared),
                store: store.clone(),
                sequence: Arc::clone(&sequence),
                index,
                order,
                idle: Idle::from(Instant::now()),
                pace: Pace::of(capsule.concurrency),
                stale: Stale::from(Instant::now()),
                large_in: LargeIn::default(),
                unreadable: Unreadable::default(),
                _busy: busy.clone(),
            }
        })
        .collect()
}

/// One each for the first queues of each capsule, so that a worker is left for the others; of several capsules that
/// serve the same queue the first one waits, because a process keeps a single list per queue for what arrives.
fn handoffs(shared: &Arc<Shared>, store: &Store, busy: &mpsc::Sender<Infallible>) -> Vec<Handoff> {
    let (mut places, mut taken) = (Vec::new(), HashSet::new());
    if !shared.settings.shortcuts.has(Shortcut::HandOff) {
        return Vec::new();
    }
    for (index, capsule) in shared.settings.capsules.iter().enumerate() {
        let order = QueueOrder::new(&capsule.queues, shared.settings.version);
        for queue in order.queues().iter().take(HANDOFFS) {
            if taken.insert(queue.key.clone()) {
                places.push((index, Arc::clone(queue)));
            }
        }
    }
    let count = places.len();
    let handoff = |(index, queue)| Handoff {
        shared: Arc::clone(shared),
        store: store.clone(),
        index,
        queue,
        restraint: Handoff::restraint(count),
        recalls: 0,
        _busy: busy.clone(),
    };
    places.into_iter().map(handoff).collect()
}
