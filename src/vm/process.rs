//! What the workers of a process share besides the engine.

use std::sync::Arc;

use magnus::Ruby;

use super::context::JobContext;
use super::fork;
use super::joblog::JobLog;
use super::perform::{Classes, MethodNames};
use super::renewal::Renewals;
use crate::engine::Shared;

/// One for each engine.
pub(super) struct Process {
    pub(super) shared: Arc<Shared>,
    pub(super) classes: Classes,
    pub(super) names: MethodNames,
    pub(super) context: JobContext,
    pub(super) job_log: Option<JobLog>,
    pub(super) renewals: Arc<Renewals>,
    origin: fork::Origin,
}

impl Process {
    /// For an engine that was started in this process.
    pub(super) fn of(ruby: &Ruby, shared: &Arc<Shared>, job_log: Option<JobLog>) -> Self {
        Self {
            shared: Arc::clone(shared),
            classes: Classes::default(),
            names: MethodNames::new(ruby),
            context: JobContext::new(ruby, shared.settings.version),
            job_log,
            renewals: Arc::new(Renewals::new()),
            origin: fork::Origin::here(),
        }
    }

    /// Whether this is the process that started the engine. In a forked child nothing that the
    /// engine's thread may have been holding at the time of the fork is ever unlocked.
    pub(super) fn is_own(&self) -> bool {
        !self.origin.is_forked_child()
    }
}
