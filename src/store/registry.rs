//! The process as Sidekiq's API and web interface see it.

use std::time::{Duration, Instant};

use super::script::{BEAT, Call, PRUNE};
use super::{Store, StoreError, reply};
use crate::dialect::Presence;

/// With more processes than this, none is asked what it serves.
const MOST_ASKED: usize = 5_000;

/// One heartbeat.
#[derive(Clone, Debug)]
pub struct Beat {
    /// Where the process is registered.
    pub presence: Presence,
    /// `hostname:pid:nonce`.
    pub identity: String,
    /// The process hash: `info`, `busy`, `beat`, …
    pub fields: Vec<(String, String)>,
    /// Thread id and JSON of each running job.
    pub work: Vec<(String, Vec<u8>)>,
    /// How long other processes believe it.
    pub ttl: Duration,
}

/// What a heartbeat found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BeatReply {
    /// Whether Redis knew the process already: `false` at the first beat and after an outage.
    pub known: bool,
    /// Commands sent to the process, oldest first; at most four at a time.
    pub signals: Vec<String>,
    /// How long the round trip took.
    pub rtt: Duration,
}

impl Store {
    /// Shows the process, and fetches its signals. If the reply is lost, only the signals are.
    pub async fn beat(&self, beat: &Beat) -> Result<BeatReply, StoreError> {
        let Presence {
            processes,
            process,
            work: [work, workers],
            signals,
            ..
        } = beat.presence.clone();
        let mut call = Call::keys([processes, process, work, workers, signals]);
        call.arg(&beat.identity)
            .arg(beat.ttl.as_secs().max(1))
            .arg(beat.fields.len());
        for (field, value) in &beat.fields {
            call.arg(field).arg(value);
        }
        for (thread, job) in &beat.work {
            call.arg(thread).arg(job);
        }
        let start = Instant::now();
        let mut parts = reply::array(self.pulse.script(&BEAT, &call).await?)?.into_iter();
        let rtt = start.elapsed();
        let known = parts.next().as_ref().map_or(Ok(0), reply::integer)? == 1;
        Ok(BeatReply {
            known,
            signals: parts.map(reply::text).collect::<Result<_, _>>()?,
            rtt,
        })
    }

    /// Forgets processes that died, unless somebody has done so within the last minute. `presence` says where the
    /// process of an identity is registered. Returns how many.
    pub async fn prune_processes(
        &self,
        presence: impl Fn(&str) -> Presence,
    ) -> Result<usize, StoreError> {
        let Presence {
            processes, cleanup, ..
        } = presence("");
        let mut guard = redis::cmd("SET");
        guard.arg(cleanup).arg("1").arg("NX").arg("EX").arg(60);
        if self.link.command(&guard).await? == redis::Value::Nil {
            return Ok(0);
        }
        let identities = self.members(&processes, 100_000).await?;
        let mut removed = 0;
        for part in identities.chunks(500) {
            let mut call = Call::keys([processes.clone()]);
            for identity in part {
                call.push_key(presence(identity).process);
                call.arg(identity);
            }
            removed += reply::integer(&self.link.script(&PRUNE, &call).await?)?.unsigned_abs();
        }
        Ok(usize::try_from(removed).unwrap_or(usize::MAX))
    }

    /// What each running process reported about itself (its `info`); `None` where there are too many to ask.
    pub async fn process_infos(
        &self,
        presence: impl Fn(&str) -> Presence,
    ) -> Result<Option<Vec<Vec<u8>>>, StoreError> {
        let identities = self.members(&presence("").processes, MOST_ASKED).await?;
        if identities.len() >= MOST_ASKED {
            return Ok(None);
        }
        let mut infos = Vec::with_capacity(identities.len());
        for part in identities.chunks(100) {
            let mut pipeline = redis::pipe();
            pipeline.ignore_errors();
            for identity in part {
                pipeline
                    .cmd("HGET")
                    .arg(presence(identity).process)
                    .arg("info");
            }
            for value in self.link.pipeline(&pipeline).await? {
                // A dead process stays on the list for a while after its hash is gone; a key that is no hash was no
                // process.
                if let redis::Value::BulkString(info) = value {
                    infos.push(info);
                }
            }
        }
        Ok(Some(infos))
    }

    /// Takes a stopping process off the list; its hash expires by itself, as Sidekiq's does.
    pub async fn clear_process(
        &self,
        identity: &str,
        presence: &Presence,
    ) -> Result<(), StoreError> {
        // Not a transaction: a full Redis refuses those whatever they contain.
        let mut pipeline = redis::pipe();
        pipeline.cmd("SREM").arg(&presence.processes).arg(identity);
        pipeline.cmd("UNLINK").arg(&presence.work);
        self.pulse.pipeline(&pipeline).await.map(drop)
    }
}
