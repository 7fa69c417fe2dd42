//! Capsules: which threads work on which queues, and in what order.

use std::collections::HashSet;

use serde::Deserialize;

use super::{ConfigError, mistake};

/// A number of threads with queues of their own.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Capsule {
    /// `default`, or the name the application gave it.
    pub name: String,
    /// Threads. At least one.
    pub concurrency: u32,
    /// How the next queue is chosen.
    pub mode: Mode,
    /// In the order in which they were written down. At least one, none twice.
    pub queues: Vec<Queue>,
}

/// How a capsule chooses the queue to look into next.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Always in the order given; a later queue is served when the earlier ones are empty.
    Strict,
    /// In a new order each time, in which a queue's chance to be first grows with its weight.
    Weighted,
    /// In a new order each time, all queues alike.
    Random,
}

/// A queue and its weight.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// Without the prefix `queue:`.
    pub name: String,
    /// As written down and shown on dashboards; 0 when none was given.
    pub weight: u32,
}

impl Queue {
    /// The queue's share when queues are drawn. A queue without a weight, among others with one, counts as 1.
    pub fn share(&self) -> u32 {
        self.weight.max(1)
    }
}

pub(super) fn check(capsules: &[Capsule]) -> Result<(), ConfigError> {
    if capsules.is_empty() {
        return mistake("capsules: there must be at least one.");
    }
    let mut names = HashSet::new();
    for capsule in capsules {
        if capsule.name.is_empty() {
            return mistake("capsules: each needs a name.");
        }
        if !names.insert(capsule.name.as_str()) {
            return mistake(format!("capsules: {} is there twice.", capsule.name));
        }
        capsule.check()?;
    }
    Ok(())
}

impl Capsule {
    fn check(&self) -> Result<(), ConfigError> {
        let name = &self.name;
        if self.concurrency == 0 {
            return mistake(format!(
                "concurrency: 0 is not a valid value (capsule {name})."
            ));
        }
        if self.queues.is_empty() {
            return mistake(format!("queues: the capsule {name} has none."));
        }
        let mut names = HashSet::new();
        for queue in &self.queues {
            if queue.name.is_empty() {
                return mistake(format!(
                    "queues: a queue of the capsule {name} has no name."
                ));
            }
            if !names.insert(queue.name.as_str()) {
                return mistake(format!(
                    "queues: the capsule {name} has {} twice.",
                    queue.name
                ));
            }
        }
        Ok(())
    }
}
