//! Jobs whose end Ruby could not hand in: their thread was killed, or our own Ruby half failed.

use super::job::RubyJob;
use crate::dialect::sidekiq::Raised;

/// Counts the job as failed, to be retried by the payload's own rules.
pub(super) fn settle(job: &RubyJob, why: &str) {
    let message = format!("the job's thread ended before the job did: {why}");
    let raised = Raised {
        class: Some(b"Footplate::JobKilled"),
        message: message.as_bytes(),
        backtrace: None,
    };
    match job.record(&raised, None) {
        Ok("exhausted") => job.bury(),
        // Without a plan (`retry: false`) this only counts.
        Ok(_) => job.retry(None),
        Err(error) => {
            tracing::error!("{error}: {why}; the job goes to the dead set as it is");
            job.malformed();
        }
    }
}
