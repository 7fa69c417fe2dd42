//! What the engine must be told before it starts. Plain data; `config` makes it.

use std::time::Duration;

use super::order::QueueSpec;
use crate::config::redis::RedisSettings;
use crate::dialect::sidekiq::{Generation, ProcessFacts};
use crate::store::{DeadLimits, Keys};

/// Everything about one process.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How to reach Redis.
    pub redis: RedisSettings,
    /// Key names, under the application's namespace if it has one.
    pub keys: Keys,
    /// Whose forms are written.
    pub generation: Generation,
    /// What the process registry shows.
    pub process: ProcessFacts,
    /// One entry per capsule, in the order of their indices.
    pub capsules: Vec<CapsuleSettings>,
    /// How much the dead set keeps.
    pub dead: DeadLimits,
    /// How often a job whose `retry` is `true` is retried.
    pub max_retries: i64,
    /// Due jobs go through Ruby's client middleware before they are moved.
    pub client_middleware: bool,
    /// How long a lease holds without renewal.
    pub lease: Duration,
    /// Time between two heartbeats.
    pub beat: Duration,
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
