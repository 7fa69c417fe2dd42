//! Everything that talks to Redis, in the engine's terms. Each call is one atomic step on the server and safe to
//! repeat. Knows Footplate's own keys, and of a dialect only what it wants written (`writes`) and how its queues are
//! found again (`Family`); nothing of threads or Ruby.
//!
//! 0. `address` says where the server is and how to reach it, as Ruby hands it over.
//! 1. `link` owns a connection: reconnects on demand, tells errors apart. There is one for everything about jobs, and
//!    one for the signs of life, which no payload may hold up; `ear` receives reports of touched keys beside the first.
//! 2. `claim` moves jobs from queues to the in-flight table of their holder.
//! 3. `settle` moves them on to wherever their dialect says; `dead` keeps a set of dead jobs within its limits.
//! 4. `lease` says who holds what, and recovers the jobs of those who no longer do.
//! 5. `schedule` moves what is due from a set of waiting jobs to its queue.
//! 6. `rights` finds out what the user of the connection may not do, `types` which keys do not hold what they should.
//! 7. `registry` shows the process to Sidekiq's API and web interface; `metrics` feeds its charts.
//!
//! Scripts write to where a job goes before they remove it from where it was, and check first whether they may remove
//! it (preflight.lua): each step is done as a whole or not at all. They declare the keys they write to in KEYS where
//! they can know them.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, mpsc};

pub mod address;
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
mod names;
mod registry;
mod reply;
mod reply_peek;
mod rights;
mod schedule;
mod script;
mod settle;
mod socket;
mod types;
mod writes;

pub use claim::{Claim, Claimed, Claims};
pub use connect::{Flavour, ServerFacts};
pub use ear::Touched;
pub use error::StoreError;
pub use handoff::{Adoption, ClientId, Handoff, MayWait};
pub use lease::{Buried, LONGEST_LEASE, Lease, Leases, Recovered};
pub use names::Names;
pub use registry::{Beat, BeatReply};
pub use reply_peek::ReplyPeek;
pub use schedule::{Due, Promotion};
pub use settle::{Leaving, Settlement};
pub use types::WrongType;

use crate::dialect::{Dialect, Family};
use address::RedisSettings;
use link::Link;

/// What the store must know about keys that are not its own.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Footplate's own keys.
    pub names: Names,
    /// The families of all dialects, including those that this process does not serve: it may have to recover their
    /// jobs.
    pub families: Vec<Family>,
    /// The set of paused queues.
    pub paused: String,
    /// The prefixes of keys of which the process wants to know when they are touched.
    pub watched: Vec<String>,
}

impl Layout {
    /// The layout for these dialects, the first of which has the set of paused queues.
    pub fn of(names: Names, dialects: &[Dialect]) -> Self {
        Self {
            names,
            families: dialects.iter().map(Dialect::family).collect(),
            paused: dialects.first().map(Dialect::paused).unwrap_or_default(),
            watched: dialects.iter().flat_map(Dialect::watched).collect(),
        }
    }
}

/// The application's Redis. Clones share the connections.
#[derive(Clone)]
pub struct Store {
    link: Arc<Link>,
    /// For leases and heartbeats, all of which are short.
    pulse: Arc<Link>,
    names: Arc<Names>,
    families: Arc<[Family]>,
    /// The set of paused queues.
    paused: Arc<String>,
    /// Notified when the dead set is to be trimmed further.
    overfull: Arc<Notify>,
    /// The last connection that was asked: twice its connection_id, plus one if it can. See [`Self::can_move_unread`].
    unread: Arc<AtomicU64>,
}

impl Store {
    /// Connects, and checks that the server is recent enough. The receiver is notified of keys that other clients
    /// touch.
    pub async fn open(
        settings: &RedisSettings,
        layout: Layout,
    ) -> Result<(Self, mpsc::UnboundedReceiver<Touched>), StoreError> {
        settings.check()?;
        let (sender, touched) = mpsc::unbounded_channel();
        let Layout {
            names,
            families,
            paused,
            mut watched,
        } = layout;
        watched.extend([names.suspects(), names.trials()]);
        let link = |touched| Arc::new(Link::new(settings.clone(), watched.clone(), touched));
        let (link, pulse) = (link(Some(sender)), link(None));
        link.open().await?;
        pulse.open().await?;
        Ok((
            Self {
                link,
                pulse,
                names: Arc::new(names),
                families: families.into(),
                paused: Arc::new(paused),
                overfull: Arc::default(),
                unread: Arc::default(),
            },
            touched,
        ))
    }

    /// What the server reported about itself at the last connect.
    pub fn server(&self) -> ServerFacts {
        self.link.facts()
    }

    /// Whether the server reports touched keys on the present connection, or did on the last one.
    pub fn is_told(&self) -> bool {
        self.link.is_told()
    }

    /// Asks for reports of touched keys again, where they were refused. [`Touched::Everything`] follows if they are
    /// granted.
    pub async fn ask_to_be_told(&self) -> Result<(), StoreError> {
        self.link.ask_to_be_told().await
    }

    /// The number of connects so far.
    pub fn connection_id(&self) -> u64 {
        self.link.connection_id()
    }

    /// Since when the present connections have stood; `None` while one is missing. The one for jobs may be idle
    /// throughout an outage that the other notices.
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

    /// Also be notified when keys that begin with this one are touched, now and after each reconnect.
    pub async fn watch(&self, key: String) -> Result<(), StoreError> {
        self.link.watch(key).await
    }

    /// Lengths of lists, in the given order; a key that is no list has no jobs.
    pub async fn lengths(&self, lists: &[String]) -> Result<Vec<u64>, StoreError> {
        let mut sizes = Vec::with_capacity(lists.len());
        for chunk in lists.chunks(500) {
            let mut pipeline = redis::pipe();
            pipeline.ignore_errors();
            for list in chunk {
                pipeline.cmd("LLEN").arg(list);
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

    /// The paused queues; if there are absurdly many, the first ten thousand.
    pub async fn paused(&self) -> Result<Vec<String>, StoreError> {
        self.members(&self.paused, 10_000).await
    }

    /// The members of a set, read in parts; about `limit` at most.
    pub async fn members(&self, key: &str, limit: usize) -> Result<Vec<String>, StoreError> {
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

/// Ensures that a store can be part of a task that tokio moves between threads.
const _: fn() = || {
    fn needs<T: Send + Sync + 'static>() {}
    needs::<Store>();
};
