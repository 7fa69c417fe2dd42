//! What the engine asks Ruby to log or do. It waits for no [`Control`] message; a [`DueBatch`] is waited for only by
//! the scheduler task that sent it.

use tokio::sync::oneshot;

/// A message for the control thread.
#[derive(Debug)]
pub enum Control {
    /// A line for the application's log.
    Log {
        /// `"debug"`, `"info"`, `"warn"` or `"error"`.
        level: &'static str,
        /// The text.
        message: String,
    },
    /// A heartbeat was written. `first`: the process was not in the registry before.
    Beat {
        /// Fires Sidekiq's `:heartbeat` besides `:beat`.
        first: bool,
    },
    /// Somebody left a signal for this process (`Sidekiq::Process#quiet!` and the like).
    Signal(String),
    /// A payload that is no job went to the dead set: the error handlers should be notified.
    Malformed {
        /// The raw bytes.
        payload: Vec<u8>,
        /// Why.
        reason: String,
    },
    /// Redis is unusable; sent once per outage: the error handlers should be notified, as they are of Sidekiq's first
    /// failed fetch.
    Outage(String),
    /// The engine cannot go on; the process should end with this message.
    Fault(String),
}

/// Due payloads on their way through client middleware.
#[derive(Debug)]
pub struct DueBatch {
    /// The payloads as they stand in the set.
    pub payloads: Vec<Vec<u8>>,
    /// One answer per payload, or fewer: the rest may be asked about again. Dropping it means that nothing is to be
    /// moved now.
    pub answer: oneshot::Sender<Vec<Due>>,
}

/// What client middleware made of a due payload.
#[derive(Debug)]
pub enum Due {
    /// Push this to that queue.
    Push {
        /// The queue's bare name.
        queue: String,
        /// The payload as serialised after the middleware.
        payload: Vec<u8>,
    },
    /// The middleware rejected it: drop it, as Sidekiq does.
    Veto,
    /// Not a job: send it to the dead set.
    Malformed,
    /// Ruby failed on it (a middleware raised): leave it where it is, try again later.
    Keep,
}
