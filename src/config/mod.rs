//! The resolved configuration of a process: what Ruby has gathered from flags, files, the environment and the
//! application, handed over as one JSON object when the engine starts. No default here depends on anything:
//! Ruby has decided already. A mistake is reported in one sentence that names the place, because it may come
//! from a settings file.

use serde::Deserialize;

mod capsule;
mod log;
mod settings;
mod tuning;

pub use capsule::{Capsule, Mode, Queue};
pub use log::{Format, Log, NativeLog};
pub use tuning::Tuning;

use crate::store::address::RedisSettings;

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum ConfigError {
    /// It does not have the shape of a [`Config`]: a field is missing, unknown or of the wrong type.
    #[error("{path}: {message}")]
    Shape {
        /// The field, such as `capsules[0].concurrency`.
        path: String,
        /// Serde's objection.
        message: String,
    },
    /// Every field is readable, but a value makes no sense.
    #[error("{0}")]
    Value(String),
}

/// Everything that one process of the engine needs to know.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `DYNO` or the host's name.
    pub hostname: String,
    /// The process that runs the jobs; after a fork, the child.
    pub pid: u32,
    /// Twelve hex digits that no other process with this host name and pid has had.
    pub nonce: String,
    /// When the process began, in seconds since the epoch.
    pub started_at: f64,
    /// The process's tag, or the empty string.
    #[serde(default)]
    pub tag: String,
    /// Labels for dashboards.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Version of the sidekiq gem that the application loaded, as `7.3.2`; none without the gem.
    #[serde(default)]
    pub sidekiq_version: Option<String>,
    /// How to reach Redis, `namespace` included; read by the store.
    pub redis: RedisSettings,
    /// Groups of threads, each with its own queues. At least one.
    pub capsules: Vec<Capsule>,
    /// How many jobs the dead set may hold.
    pub dead_max_jobs: u64,
    /// How many seconds a job stays in the dead set.
    pub dead_timeout_in_seconds: u64,
    /// Retries of a job that only says `retry: true`; 25 unless the application says otherwise.
    pub max_retries: u32,
    /// Whether there is client middleware, which Ruby must run on every job that leaves the schedule or the
    /// retry set.
    pub client_middleware: bool,
    /// Where log lines go.
    pub log: Log,
    /// The settings that Sidekiq does not have.
    #[serde(default)]
    pub tuning: Tuning,
}

impl Config {
    /// Reads and checks the JSON that `Footplate::Server::EngineConfig` writes.
    ///
    /// # Errors
    /// [`ConfigError`], whose text is meant for an operator.
    pub fn from_json(json: &str) -> Result<Self, ConfigError> {
        let mut reader = serde_json::Deserializer::from_str(json);
        let config: Self = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let path = error.path().to_string();
            ConfigError::Shape {
                path: if path == "." {
                    "configuration".to_owned()
                } else {
                    path
                },
                message: without_position(&error.into_inner().to_string()),
            }
        })?;
        config.check()?;
        Ok(config)
    }

    /// What this process is called in Redis until it loses its lease: `hostname:pid:nonce`.
    pub fn identity(&self) -> String {
        format!("{}:{}:{}", self.hostname, self.pid, self.nonce)
    }

    /// The prefix that `redis-namespace` puts before every key, without its colon (Sidekiq 6 only).
    pub fn namespace(&self) -> Option<&str> {
        self.redis.namespace.as_deref()
    }

    /// Threads over all capsules.
    pub fn total_concurrency(&self) -> usize {
        self.capsules
            .iter()
            .map(|capsule| capsule.concurrency as usize)
            .sum()
    }

    fn check(&self) -> Result<(), ConfigError> {
        if self.hostname.is_empty() || self.nonce.is_empty() {
            return mistake(
                "hostname and nonce must not be empty: they are part of the process's identity.",
            );
        }
        self.redis
            .check()
            .map_err(|it| ConfigError::Value(it.to_string()))?;
        capsule::check(&self.capsules)?;
        self.log.check()?;
        self.tuning.check()
    }
}

fn mistake<T>(sentence: impl Into<String>) -> Result<T, ConfigError> {
    Err(ConfigError::Value(sentence.into()))
}

/// Without "at line 1 column 230", which serde_json adds: that is a place in JSON that no person has written.
fn without_position(message: &str) -> String {
    message
        .split(" at line ")
        .next()
        .unwrap_or(message)
        .to_owned()
}

#[cfg(test)]
mod tests;
