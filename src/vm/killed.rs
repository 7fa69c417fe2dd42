//! Jobs whose outcome Ruby could not hand in: their thread was killed, or Footplate's own Ruby code failed.

use super::job::{Recorded, RubyJob};
use crate::dialect::Raised;
use crate::job::Job;

/// All that Ruby reveals about a killed thread is that it has ended.
pub(super) const KILLED: &str = "somebody killed it";

/// Counts the job as failed, to be retried by the payload's own rules. No handler of the application is called, so it
/// is logged.
pub(super) fn settle(job: &RubyJob, why: &str) {
    let message = format!("the job's thread ended before the job did: {why}");
    tracing::warn!("{}{message}; the job counts as failed", name(job.job()));
    let raised = Raised {
        class: Some(b"Footplate::JobKilled"),
        message: message.as_bytes(),
        backtrace: None,
    };
    match job.record(&raised, None) {
        Ok(Recorded::Exhausted) => job.bury(),
        // Without a plan (`retry: false`) the failure is only counted.
        Ok(_) => job.retry(None),
        Err(error) => {
            tracing::error!("{error}: {why}; the job goes to the dead set as it is");
            job.malformed();
        }
    }
}

/// Empty if the log would have to write it in another way than the payload does.
fn name(job: &Job) -> String {
    let envelope = job.envelope.as_ref().filter(|it| !it.special);
    let jid = envelope.and_then(|it| job.text(it.jid.as_ref()));
    match (job.display_class(), jid) {
        (Some(class), Some(jid)) => format!("{class} {jid}: "),
        _ => String::new(),
    }
}
