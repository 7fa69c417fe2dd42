//! Shows the process in Sidekiq's registry (what it is, what it runs, its counters) and takes the signals that others
//! leave for it. Never needs the GVL, so a job that keeps it for minutes changes nothing here.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::yield_now;
use tokio::time::sleep;

use crate::dialect::{Dialect, Vitals};
use crate::engine::state::busy::Running;
use crate::engine::state::control::Control;
use crate::engine::state::restraint::Restraint;
use crate::engine::state::{Phase, Shared};
use crate::store::{Beat, Store, StoreError};

/// Round trips that are remembered to judge the connection, as Sidekiq does.
const READINGS: usize = 5;
/// How long a process that no longer beats stays in the registry, as in Sidekiq.
const TTL: Duration = Duration::from_secs(60);
/// A round trip slower than this, five times in a row, is worth a warning.
const SLOW_US: u64 = 50_000;

/// Consecutive signals that are noticed at once: see restraint.rs. Each costs two looks, since taking a signal touches
/// the list.
const IN_HAND: u32 = 8;

/// Beats until the engine finishes.
pub(super) async fn run(shared: Arc<Shared>, store: Store) {
    let mut restraint = Restraint::of(IN_HAND);
    let mut attempts = shared.outages.attempts("write the heartbeat");
    let mut readings = Vec::with_capacity(READINGS);
    let mut rtt = 0;
    loop {
        match beat(&shared, &store, rtt).await {
            Ok(measured) => {
                attempts.worked();
                rtt = measured;
                judge(&mut readings, rtt);
            }
            Err(error) => attempts.failed(&error),
        }
        tokio::select! {
            () = sleep(shared.settings.beat) => {}
            () = signalled(&shared, &mut restraint) => {}
            () = shared.phase.reached(Phase::Finishing) => return,
        }
        if shared.phase.now() == Phase::Finishing {
            return;
        }
    }
}

/// Completes when somebody has left a signal and it is time to look: anybody may write there as often as they like.
async fn signalled(shared: &Shared, restraint: &mut Restraint) {
    shared.wakeups.signalled.notified().await;
    sleep(restraint.pause(Instant::now(), &shared.wakeups.stream, 1)).await;
}

/// Takes dead processes off the list. Not retried: the next process to start does it too.
pub(super) async fn prune(shared: Arc<Shared>, store: Store) {
    for dialect in &shared.settings.dialects {
        let presence = |identity: &str| dialect.presence(identity);
        if let Err(error) = store.prune_processes(presence).await {
            tracing::debug!("dead processes stay on the list for now: {error}");
        }
    }
}

/// Writes one heartbeat per dialect; returns the longest round trip in microseconds.
pub(super) async fn beat(shared: &Shared, store: &Store, rtt: u64) -> Result<u64, StoreError> {
    let running = shared.busy.snapshot();
    let vitals = Vitals {
        concurrency: shared.settings.process.concurrency,
        busy: running.len(),
        at: shared.clock.now(),
        rtt_us: rtt,
        quiet: shared.phase.now() >= Phase::Quiet,
        rss: resident_kb(),
    };
    let (mut longest, mut first, mut signals) = (0, false, Vec::new());
    let mut written = Ok(());
    for dialect in &shared.settings.dialects {
        let beat = heartbeat(shared, dialect, &vitals, &running).await;
        match store.beat(&beat).await {
            Ok(reply) => {
                first |= !reply.known;
                longest = longest.max(u64::try_from(reply.rtt.as_micros()).unwrap_or(u64::MAX));
                signals.extend(reply.signals);
            }
            Err(error) => written = Err(error),
        }
    }
    if written.is_ok() {
        shared.control.send(Control::Beat { first });
    }
    // Also when another could not be written: these are no longer in Redis.
    for signal in signals {
        shared.control.send(Control::Signal(signal));
    }
    written.map(|()| longest)
}

async fn heartbeat(
    shared: &Shared,
    dialect: &Dialect,
    vitals: &Vitals,
    running: &[(String, Running)],
) -> Beat {
    let process = &shared.settings.process;
    let lengths = running.iter().map(|(_, it)| it.job.payload.len());
    let most = dialect.shown_bytes(lengths);
    let mut work = Vec::with_capacity(running.len());
    for (tid, it) in running {
        let entry = dialect.work_entry(&it.job, most, it.since);
        work.push((tid.clone(), entry.into_bytes()));
        // Reading a large one may take long.
        yield_now().await;
    }
    Beat {
        presence: dialect.presence(&process.identity),
        identity: process.identity.clone(),
        fields: dialect.process_fields(process, vitals),
        work,
        ttl: TTL,
    }
}

fn judge(readings: &mut Vec<u64>, rtt: u64) {
    if readings.len() == READINGS {
        readings.remove(0);
    }
    readings.push(rtt);
    if readings.len() == READINGS && readings.iter().all(|it| *it > SLOW_US) {
        tracing::warn!(
            "Redis answers slowly: the last {READINGS} round trips took {readings:?} µs. Anything above \
             {SLOW_US} µs costs throughput; is it far away, or its CPU busy?"
        );
        readings.clear();
    }
}

/// Resident memory in KB, 0 where the system does not report it.
fn resident_kb() -> u64 {
    std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| {
            let line = status.lines().find(|it| it.starts_with("VmRSS:"))?;
            line.split_whitespace().nth(1)?.parse().ok()
        })
        .unwrap_or(0)
}
