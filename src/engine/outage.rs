//! When Redis cannot be worked with: said once when it begins, and once when it is over, however many tasks
//! run into it and however often. Reads may go on working while writes fail, so an outage is over only when
//! everything that failed has worked again.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Instant;

use super::control::Control;
use super::shared::Shared;
use super::sync::lock;

/// The present outage.
pub(super) struct Outage {
    since: Instant,
    /// What failed and has not worked since.
    failing: BTreeSet<&'static str>,
    /// Attempts whose failure was said. What differs in nothing but an address or a number says nothing new.
    said: BTreeSet<&'static str>,
}

impl Shared {
    /// `what` (in the infinitive) could not be done now, and is tried again.
    pub(super) fn offline(&self, what: &'static str, error: &impl fmt::Display) {
        let mut current = lock(&self.outage);
        let first = current.is_none();
        let outage = current.get_or_insert_with(|| Outage {
            since: Instant::now(),
            failing: BTreeSet::new(),
            said: BTreeSet::new(),
        });
        outage.failing.insert(what);
        let new = outage.said.insert(what);
        drop(current);
        if first {
            tracing::error!("cannot {what}: {error}; trying again");
            self.control.send(Control::Outage(error.to_string()));
        } else if new {
            tracing::debug!("cannot {what} either: {error}");
        }
    }

    /// `what` worked.
    pub(super) fn online(&self, what: &'static str) {
        let mut current = lock(&self.outage);
        let Some(outage) = current.as_mut() else {
            return;
        };
        outage.failing.remove(what);
        if !outage.failing.is_empty() {
            return;
        }
        let seconds = outage.since.elapsed().as_secs_f64();
        *current = None;
        drop(current);
        tracing::info!("Redis is online, {seconds:.3} sec downtime");
    }
}
