//! Everything that talks to Redis, in the engine's words. Each call is one atomic step on the
//! server and safe to repeat. Knows the dialect's key names and nothing of threads or Ruby.
//!
//! 1. `link` owns a connection: reconnects on demand, tells errors apart. There is one for what has to do with jobs,
//!    and one for the signs of life, which no payload may hold up; `ear` hears of touched keys beside the first.
//! 2. `claim` moves jobs from queues to the in-flight table of their holder.
//! 3. `settle` moves them on: forgotten, to retry, to dead, or back; `dead` keeps the dead set within its limits.
//! 4. `lease` says who holds what, and recovers the jobs of who no longer does.
//! 5. `schedule` moves what is due from the retry and schedule sets to the queues.
//! 6. `rights` finds out what the user of the connection may not do, `types` which keys are not what they should be.
//! 7. `registry` shows the process to Sidekiq's API and web interface; `metrics` feeds its charts.
//!
//! Scripts write to where a job goes before they remove it from where it was, and try first whether they may remove it
//! (preflight.lua): each step is done as a whole or not at all. They declare what they write to in KEYS where they can
//! know it.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, mpsc};

mod claim;
mod connect;
mod dead;
mod ear;
mod error;
mod handoff;
mod lease;
mod link;
mod login;
mod metrics;
mod registry;
mod reply;
mod rights;
mod schedule;
mod script;
mod settle;
mod tap;
mod types;

pub use claim::{Claim, Claimed, Claims};
pub use connect::{Flavour, ServerFacts};
pub use dead::DeadLimits;
pub use ear::Touched;
pub use error::StoreError;
pub use handoff::{Adoption, ClientId, Handoff, Parking};
pub use lease::{Buried, LONGEST_LEASE, Lease, Leases, Recovered};
pub use registry::{Beat, BeatReply};
pub use schedule::{Due, DueSet, Promotion, PromotionKind};
pub use settle::{Outcome, Settlement};
pub use tap::Tap;
pub use types::WrongType;

pub use crate::dialect::sidekiq::Keys;

use crate::config::redis::RedisSettings;
use link::Link;

/// The application's Redis. Clones share the connections.
#[derive(Clone)]
pub struct Store {
    link: Arc<Link>,
    /// For leases and heartbeats, all of which are short.
    pulse: Arc<Link>,
    keys: Arc<Keys>,
    dead: DeadLimits,
    /// Rings when the dead set is to be trimmed further.
    overfull: Arc<Notify>,
    /// The last connection that was asked, twice its generation, and one more if it can: see [`Self::moves_unseen`].
    unseen: Arc<AtomicU64>,
}

impl Store {
    /// Connects, and checks that the server is recent enough. The receiver hears of keys that other clients
    /// touch.
    pub async fn open(
        settings: &RedisSettings,
        keys: Keys,
    ) -> Result<(Self, mpsc::UnboundedReceiver<Touched>), StoreError> {
        settings.check()?;
        let (sender, touched) = mpsc::unbounded_channel();
        let keys = Arc::new(keys);
        let link = |touched| Arc::new(Link::new(settings.clone(), Arc::clone(&keys), touched));
        let (link, pulse) = (link(Some(sender)), link(None));
        link.open().await?;
        pulse.open().await?;
        Ok((
            Self {
                link,
                pulse,
                keys,
                dead: DeadLimits::default(),
                overfull: Arc::default(),
                unseen: Arc::default(),
            },
            touched,
        ))
    }

    /// The same store with other limits for the dead set.
    #[must_use]
    pub fn with_dead_limits(mut self, dead: DeadLimits) -> Self {
        self.dead = dead;
        self
    }

    /// What the server said about itself at the last connect.
    pub fn server(&self) -> ServerFacts {
        self.link.facts()
    }

    /// Whether the server says which keys are touched, on the present connection or the last one.
    pub fn is_told(&self) -> bool {
        self.link.is_told()
    }

    /// Asks again to be told, where that was refused. [`Touched::Everything`] follows if it is granted.
    pub async fn ask_to_be_told(&self) -> Result<(), StoreError> {
        self.link.ask_to_be_told().await
    }

    /// The number of connects so far.
    pub fn generation(&self) -> u64 {
        self.link.generation()
    }

    /// Since when the present connections stand; `None` while one is missing. The one for jobs may lie idle through an
    /// outage that the other notices.
    pub fn connected_since(&self) -> Option<Instant> {
        let (jobs, pulse) = (self.link.connected_since(), self.pulse.connected_since());
        jobs.zip(pulse).map(|(jobs, pulse)| jobs.max(pulse))
    }

    /// One round trip; connects when there is no connection.
    pub async fn ping(&self) -> Result<Duration, StoreError> {
        let start = Instant::now();
        self.link.command(&redis::cmd("PING")).await?;
        Ok(start.elapsed())
    }

    /// Also hear of commands for `identity`, now and after each reconnect.
    pub async fn watch_signals(&self, identity: &str) -> Result<(), StoreError> {
        self.link.watch(self.keys.signals(identity)).await
    }

    /// Lengths of the queues, in the order asked; a key that is no list has no jobs.
    pub async fn queue_sizes(&self, queues: &[&str]) -> Result<Vec<u64>, StoreError> {
        let mut sizes = Vec::with_capacity(queues.len());
        for chunk in queues.chunks(500) {
            let mut pipeline = redis::pipe();
            pipeline.ignore_errors();
            for queue in chunk {
                pipeline.cmd("LLEN").arg(self.keys.queue(queue));
            }
            for value in self.link.pipeline(&pipeline).await? {
                sizes.push(match value {
                    redis::Value::ServerError(_) => 0,
                    size => reply::integer(&size)?.unsigned_abs(),
                });
            }
        }
        Ok(sizes)
    }

    /// The paused queues; of absurdly many, the first ten thousand.
    pub async fn paused(&self) -> Result<Vec<String>, StoreError> {
        self.scan_set(&self.keys.paused(), 10_000).await
    }

    /// The members of a set, read in parts, at most about `limit`.
    async fn scan_set(&self, key: &str, limit: usize) -> Result<Vec<String>, StoreError> {
        let mut members = Vec::new();
        let mut cursor = String::from("0");
        loop {
            let mut scan = redis::cmd("SSCAN");
            scan.arg(key).arg(&cursor).arg("COUNT").arg(500);
            let (next, part) = reply::scan(self.link.command(&scan).await?)?;
            members.extend(part);
            if next == "0" || members.len() >= limit {
                members.sort_unstable();
                members.dedup();
                return Ok(members);
            }
            cursor = next;
        }
    }
}

/// A store may go along with a task that tokio moves between threads.
const _: fn() = || {
    fn needs<T: Send + Sync + 'static>() {}
    needs::<Store>();
};
