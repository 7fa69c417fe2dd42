//! Turns the configuration that Ruby wrote into the settings of the engine and the job log.

use std::sync::Arc;
use std::time::Duration;

use super::{Capsule, Config, ConfigError, Format, Mode};
use crate::dialect::{
    self, CapsuleFacts, DeadLimits, Dialect, Keys, ProcessFacts, Sidekiq, SidekiqVersion, Style,
    UnknownVersion,
};
use crate::engine::queue_order::QueueSpec;
use crate::engine::{CapsuleSettings, Settings, Shortcuts};
use crate::store::Names;

impl Config {
    /// The version whose forms are written: that of the loaded gem, or Sidekiq 8 without one.
    pub fn sidekiq(&self) -> Result<SidekiqVersion, ConfigError> {
        match &self.sidekiq_version {
            None => Ok(SidekiqVersion::default()),
            Some(version) => version
                .parse()
                .map_err(|it: UnknownVersion| ConfigError::Value(it.to_string())),
        }
    }

    /// Where and how the engine writes the default job logger's lines, if it is to write them.
    pub fn job_log(&self) -> Option<(i32, Style)> {
        let skipped = self.log.skip_default_job_logging;
        let native = self.log.native.filter(|_| !skipped)?;
        let style = match native.format {
            Format::Pretty if native.colour => Style::Pretty,
            Format::Pretty | Format::Plain => Style::Plain,
            Format::WithoutTimestamp => Style::WithoutTimestamp,
            Format::Json => Style::Json,
        };
        Some((native.fd, style))
    }

    /// The engine's settings.
    ///
    /// # Errors
    /// When the gem's version cannot be read.
    pub fn into_settings(self) -> Result<Settings, ConfigError> {
        let version = self.sidekiq()?;
        let sidekiq = Dialect::Sidekiq(Sidekiq {
            keys: Keys::new(self.namespace()),
            version,
            max_retries: i64::from(self.max_retries),
            dead: DeadLimits {
                max_jobs: self.dead_max_jobs,
                timeout: Duration::from_secs(self.dead_timeout_in_seconds),
            },
        });
        let capsules = self.capsules.iter().map(|it| it.settings(&sidekiq));
        Ok(Settings {
            version,
            process: self.process_facts(version),
            names: Names::new(self.namespace()),
            capsules: capsules.collect(),
            dialects: vec![sidekiq],
            client_middleware: self.client_middleware,
            lease: Duration::from_secs_f64(self.tuning.lease_seconds),
            beat: Duration::from_secs_f64(self.tuning.beat_seconds),
            shortcuts: self
                .tuning
                .shortcuts
                .map(Shortcuts::only)
                .unwrap_or_default(),
            ahead: Duration::from_millis(u64::from(self.tuning.prefetch_ms)),
            redis: self.redis,
        })
    }

    fn process_facts(&self, version: SidekiqVersion) -> ProcessFacts {
        ProcessFacts {
            hostname: self.hostname.clone(),
            started_at: self.started_at,
            pid: self.pid,
            tag: self.tag.clone(),
            concurrency: u32::try_from(self.total_concurrency()).unwrap_or(u32::MAX),
            capsules: self.capsules.iter().map(Capsule::facts).collect(),
            labels: self.labels.clone(),
            identity: self.identity(),
            version: version.to_string(),
            embedded: false,
        }
    }
}

impl Capsule {
    fn settings(&self, dialect: &Dialect) -> CapsuleSettings {
        let spec = |it: &super::Queue| {
            let queue = dialect.queue(0, &it.name);
            QueueSpec {
                queue: Arc::new(queue),
                weight: it.weight,
            }
        };
        CapsuleSettings {
            name: self.name.clone(),
            concurrency: self.concurrency as usize,
            queues: self.queues.iter().map(spec).collect(),
        }
    }

    fn facts(&self) -> CapsuleFacts {
        CapsuleFacts {
            name: self.name.clone(),
            concurrency: self.concurrency,
            mode: match self.mode {
                Mode::Strict => dialect::Mode::Strict,
                Mode::Weighted => dialect::Mode::Weighted,
                Mode::Random => dialect::Mode::Random,
            },
            weights: self
                .queues
                .iter()
                .map(|it| (it.name.clone(), it.weight))
                .collect(),
        }
    }
}
