//! What the engine must know before it starts. Plain data; built by `config`.

use std::time::Duration;

use crate::dialect::{Dialect, ProcessFacts, SidekiqVersion};
use crate::engine::queue_order::QueueSpec;
use crate::engine::shortcuts::Shortcuts;
use crate::job::Queue;
use crate::store::address::RedisSettings;
use crate::store::{Layout, Names};

/// Everything about one process.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How to reach Redis.
    pub redis: RedisSettings,
    /// Footplate's own keys, under the application's namespace if it has one.
    pub names: Names,
    /// The dialects to serve. The first one's set of paused queues counts.
    pub dialects: Vec<Dialect>,
    /// The Sidekiq version whose log format and queue order are followed.
    pub version: SidekiqVersion,
    /// What the process registry shows.
    pub process: ProcessFacts,
    /// One entry per capsule, in the order of their indices.
    pub capsules: Vec<CapsuleSettings>,
    /// Due jobs go through Ruby's client middleware before they are moved.
    pub client_middleware: bool,
    /// How long a lease holds without renewal.
    pub lease: Duration,
    /// Time between two heartbeats.
    pub beat: Duration,
    /// The ways by which jobs may arrive besides the plain one.
    pub shortcuts: Shortcuts,
    /// How much work, in time at the rate just measured, may be claimed beyond the free workers.
    pub ahead: Duration,
}

/// One capsule: some workers and the queues they serve.
#[derive(Clone, Debug)]
pub struct CapsuleSettings {
    /// Its name, for threads and messages.
    pub name: String,
    /// How many workers it has.
    pub concurrency: usize,
    /// Its queues in the order given.
    pub queues: Vec<QueueSpec>,
}

impl Settings {
    /// The dialect that the queue belongs to.
    pub fn dialect(&self, queue: &Queue) -> &Dialect {
        // Queues are made by the dialects of these settings.
        &self.dialects[queue.dialect]
    }

    /// The dialect that owns the queue with this key.
    pub fn dialect_of(&self, queue: &str) -> Option<&Dialect> {
        let has_it = |it: &&Dialect| queue.starts_with(&it.family().prefix);
        let candidates = self.dialects.iter().filter(has_it);
        candidates.max_by_key(|it| it.family().prefix.len())
    }

    /// The part of this that the store needs.
    pub fn layout(&self) -> Layout {
        Layout::of(self.names.clone(), &self.dialects)
    }
}
