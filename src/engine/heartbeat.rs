//! Shows the process in Sidekiq's registry: what it is, what it runs, its counters, and takes the
//! signals that others leave for it. Never needs the GVL, so a job that keeps it for minutes changes
//! nothing here.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::control::Control;
use super::shared::{Phase, Shared};
use super::sync::lock;
use crate::dialect::sidekiq::{self, Write};
use crate::store::{Beat, Store, StoreError};

/// Round trips that are remembered to judge the connection, as Sidekiq does.
const READINGS: usize = 5;
/// How long a process that no longer beats stays in the registry, as in Sidekiq.
const TTL: Duration = Duration::from_secs(60);
/// A round trip slower than this, five times in a row, is worth a warning.
const SLOW_US: u64 = 50_000;

/// Beats until the engine finishes.
pub(super) async fn run(shared: Arc<Shared>, store: Store) {
    // Not insisted on: whoever starts next does it too, and on a full Redis no heartbeat would follow.
    if let Err(error) = store.prune_processes().await {
        tracing::debug!("dead processes stay on the list for now: {error}");
    }
    let mut readings = Vec::with_capacity(READINGS);
    let mut rtt = 0;
    loop {
        flush_metrics(&shared, &store).await;
        match beat(&shared, &store, rtt).await {
            Ok(measured) => {
                rtt = measured;
                judge(&mut readings, rtt);
            }
            Err(error) => shared.offline("write the heartbeat", &error),
        }
        tokio::select! {
            () = sleep(shared.settings.beat) => {}
            () = shared.signalled.notified() => {}
            () = shared.reached(Phase::Finishing) => return,
        }
        if shared.phase() == Phase::Finishing {
            return;
        }
    }
}

/// Writes one heartbeat; the round trip in microseconds.
pub(super) async fn beat(shared: &Shared, store: &Store, rtt: u64) -> Result<u64, StoreError> {
    let running = shared.busy.snapshot();
    let process = &shared.settings.process;
    let vitals = sidekiq::Beat {
        concurrency: process.concurrency,
        busy: running.len(),
        at: shared.clock.now(),
        rtt_us: rtt,
        quiet: shared.phase() >= Phase::Quiet,
        rss: resident_kb(),
    };
    let fields = vitals.fields(&process.info());
    let work = running.into_iter().map(|(tid, it)| {
        let entry = sidekiq::work_entry(&it.job.queue, &it.job.payload, it.since);
        (tid, entry.into_bytes())
    });
    let reply = store
        .beat(&Beat {
            identity: process.identity.clone(),
            fields: fields.map(|(name, value)| (name.to_owned(), value)).into(),
            work: work.collect(),
            ttl: TTL,
        })
        .await?;
    shared.online("write the heartbeat");
    shared.control.send(Control::Beat {
        first: !reply.known,
    });
    for signal in reply.signals {
        shared.control.send(Control::Signal(signal));
    }
    Ok(u64::try_from(reply.rtt.as_micros()).unwrap_or(u64::MAX))
}

/// Measurements on their way to Redis, under the number that keeps them from being counted twice.
pub(super) struct Flush {
    sequence: u64,
    writes: Vec<Write>,
}

/// Writes what was measured since the last time. What cannot be written now is kept for the next time: the
/// heartbeat must not wait for it.
pub(super) async fn flush_metrics(shared: &Shared, store: &Store) {
    let kept = lock(&shared.unwritten).take();
    let Some(flush) = kept.or_else(|| measured(shared)) else {
        return;
    };
    let holder = shared.holder(shared.epoch());
    match store
        .apply_metrics(&holder, flush.sequence, &flush.writes)
        .await
    {
        Ok(_) => shared.online("write metrics"),
        // Of a wrong type, say: it would be refused again.
        Err(error @ StoreError::Unexpected(_)) => {
            tracing::error!("cannot write metrics: {error}; those of the last seconds are lost");
        }
        Err(error) => {
            shared.offline("write metrics", &error);
            *lock(&shared.unwritten) = Some(flush);
        }
    }
}

fn measured(shared: &Shared) -> Option<Flush> {
    let writes = lock(&shared.metrics).drain(shared.clock.now());
    (!writes.is_empty()).then(|| Flush {
        sequence: shared.next_flush(),
        writes,
    })
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

/// Resident memory in KB, 0 where the system does not tell.
fn resident_kb() -> u64 {
    std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| {
            let line = status.lines().find(|it| it.starts_with("VmRSS:"))?;
            line.split_whitespace().nth(1)?.parse().ok()
        })
        .unwrap_or(0)
}
