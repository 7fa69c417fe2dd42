//! All key names of Sidekiq's, in one place. Footplate's own are the store's.

use std::fmt::Display;

use super::{MetricsForm, SidekiqVersion};
use crate::dialect::Namespace;

/// Builds key names, under the namespace of `redis-namespace` (6.4) if there is one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    namespace: Namespace,
}

impl Keys {
    /// Keys as they are, or each as `<namespace>:<key>`. An empty namespace is none.
    pub fn new(namespace: Option<&str>) -> Self {
        Self {
            namespace: Namespace::new(namespace),
        }
    }

    fn key(&self, name: impl Display) -> String {
        self.namespace.key(name)
    }

    /// List of payloads, oldest at the right end.
    pub fn queue(&self, name: &str) -> String {
        self.key(format_args!("queue:{name}"))
    }

    /// The prefix of all queues' keys, for client tracking.
    pub fn queue_prefix(&self) -> String {
        self.key("queue:")
    }

    /// Set of queue names.
    pub fn queues(&self) -> String {
        self.key("queues")
    }

    /// Sorted set of payloads by the epoch seconds at which they are due.
    pub fn schedule(&self) -> String {
        self.key("schedule")
    }

    /// Sorted set of failed payloads by the epoch seconds of their next attempt.
    pub fn retry(&self) -> String {
        self.key("retry")
    }

    /// Sorted set of dead payloads by the epoch seconds of their death.
    pub fn dead(&self) -> String {
        self.key("dead")
    }

    /// Set of the identities of running processes.
    pub fn processes(&self) -> String {
        self.key("processes")
    }

    /// Set of the names of paused queues (Pro).
    pub fn paused(&self) -> String {
        self.key("paused")
    }

    /// Lock (60 s) for pruning [`Keys::processes`].
    pub fn process_cleanup(&self) -> String {
        self.key("process_cleanup")
    }

    /// Count of attempts, ever.
    pub fn stat_processed(&self) -> String {
        self.key("stat:processed")
    }

    /// Count of attempts on a UTC day, `YYYY-MM-DD`.
    pub fn stat_processed_on(&self, date: &str) -> String {
        self.key(format_args!("stat:processed:{date}"))
    }

    /// Count of failed attempts, ever.
    pub fn stat_failed(&self) -> String {
        self.key("stat:failed")
    }

    /// Count of failed attempts on a UTC day, `YYYY-MM-DD`.
    pub fn stat_failed_on(&self, date: &str) -> String {
        self.key(format_args!("stat:failed:{date}"))
    }

    /// Hash that a process renews with every heartbeat.
    pub fn process(&self, identity: &str) -> String {
        self.key(identity)
    }

    /// Hash of the jobs that a process is running, under both of its names (`:work` from 6.5 on, `:workers` before),
    /// for a mixed fleet.
    pub fn work_of_all_versions(&self, identity: &str) -> [String; 2] {
        [":work", ":workers"].map(|suffix| self.key(format_args!("{identity}{suffix}")))
    }

    /// List of signals that the dashboard sends to a process.
    pub fn signals(&self, identity: &str) -> String {
        self.key(format_args!("{identity}-signals"))
    }

    /// A metrics key (see [`super::Metrics`]), given its name without the namespace.
    pub fn metrics(&self, name: &str) -> String {
        self.key(name)
    }

    /// One key of every kind that a process uses, except for its queues, and except for the histograms of Sidekiq 7,
    /// which begin with the names of job classes.
    pub fn samples(&self, identity: &str, version: SidekiqVersion) -> Vec<String> {
        let metrics: &[&str] = match version.metrics_form() {
            MetricsForm::None => &[],
            MetricsForm::LongDate => &["j|20260304|8:45"],
            MetricsForm::ShortDate => &["j|260304|8:45", "h|Job-4-8:45"],
        };
        let of_everybody = [
            self.queues(),
            self.schedule(),
            self.retry(),
            self.dead(),
            self.processes(),
            self.paused(),
            self.process_cleanup(),
            self.stat_processed(),
            self.stat_processed_on("2026-03-04"),
            self.stat_failed(),
            self.stat_failed_on("2026-03-04"),
        ];
        let work = self.work_of_all_versions(identity);
        of_everybody
            .into_iter()
            .chain([self.process(identity), self.signals(identity)])
            .chain(work)
            .chain(metrics.iter().map(|name| self.metrics(name)))
            .collect()
    }

    /// Keys that all processes share, and the type of each, as `TYPE` names it.
    pub fn types(&self) -> [(String, &'static str); 8] {
        [
            (self.queues(), "set"),
            (self.schedule(), "zset"),
            (self.retry(), "zset"),
            (self.dead(), "zset"),
            (self.processes(), "set"),
            (self.paused(), "set"),
            (self.stat_processed(), "string"),
            (self.stat_failed(), "string"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sidekiqs() {
        let keys = Keys::default();
        assert_eq!(keys.queue("low"), "queue:low");
        assert_eq!(keys.queues(), "queues");
        assert_eq!(
            keys.stat_processed_on("2026-01-31"),
            "stat:processed:2026-01-31"
        );
        assert_eq!(keys.stat_failed(), "stat:failed");
        assert_eq!(keys.process("host:1:ab"), "host:1:ab");
        assert_eq!(keys.work_of_all_versions("a"), ["a:work", "a:workers"]);
        assert_eq!(keys.signals("host:1:ab"), "host:1:ab-signals");
    }

    #[test]
    fn a_namespace_stands_before_every_key() {
        let keys = Keys::new(Some("app"));
        assert_eq!(keys.queue("low"), "app:queue:low");
        assert_eq!(keys.process("host:1:ab"), "app:host:1:ab");
        assert_eq!(Keys::new(Some("")), Keys::new(None));
    }
}
