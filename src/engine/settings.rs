//! What the engine must be told before it starts. Plain data; `config` makes it.

use std::time::Duration;

use super::order::QueueSpec;
use crate::config::redis::RedisSettings;
use crate::dialect::sidekiq::{Generation, Keys, ProcessFacts};

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
    /// How many entries the dead set may hold (Sidekiq's `dead_max_jobs`).
    pub dead_max_jobs: u64,
    /// How old an entry of the dead set may get, in seconds.
    pub dead_timeout: u64,
    /// How often a job whose `retry` is `true` is retried.
    pub max_retries: i64,
    /// Due jobs go through Ruby's client middleware before they are moved.
    pub client_middleware: bool,
    /// How long a lease holds without renewal.
    pub lease: Duration,
    /// Time between two heartbeats.
    pub beat: Duration,
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
