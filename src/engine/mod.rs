//! The engine: one native thread with a tokio runtime that claims, settles, schedules, beats and recovers. Knows
//! nothing of Ruby; Ruby's threads come to it through [`Shared`].
//!
//! One thread and a current-thread runtime on purpose: measured to be faster than a multi-threaded one, since a job
//! makes no hop between threads before it reaches its worker.

mod backoff;
mod claim;
mod dead_set;
mod dispatch;
mod heartbeat;
mod lease;
mod metrics;
mod overdue;
pub mod queue_order;
pub mod ready;
mod recovery;
mod runtime;
mod scheduler;
mod settings;
mod settle;
mod shortcuts;
mod shutdown;
mod start;
mod state;
pub mod sync;
pub mod turn;
mod types;
mod unserved;

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use sync::Latch;

pub use settings::{CapsuleSettings, Settings};
pub use shortcuts::{Shortcut, Shortcuts};
pub use start::{StartError, check};
pub use state::clock::Clock;
pub use state::control::{Control, Due, DueBatch};
pub use state::mailbox::{Mail, Mailbox};
pub use state::{Capsule, Phase, Shared};
pub use unserved::Unserved;

/// A running engine. It lives until [`Engine::finish`] or the end of the process.
pub struct Engine {
    shared: Arc<Shared>,
    pid: u32,
    ended: Arc<Latch>,
}

/// Notifies everybody who waits for it when the engine's thread ends, however it ends.
struct Farewell {
    shared: Arc<Shared>,
    ended: Arc<Latch>,
}

impl Drop for Farewell {
    fn drop(&mut self) {
        self.shared.control.close();
        self.shared.due.close();
        self.ended.open();
    }
}

impl Engine {
    /// Connects to Redis, takes a lease, writes the first heartbeat and starts all tasks. Blocks until that is done or
    /// has failed. The engine's thread runs `first` before anything else.
    pub fn start(
        settings: Settings,
        first: impl FnOnce() + Send + 'static,
    ) -> Result<Self, StartError> {
        let shared = Arc::new(Shared::new(settings));
        let (ready, started) = mpsc::channel();
        let ended = Arc::new(Latch::default());
        let farewell = Farewell {
            shared: Arc::clone(&shared),
            ended: Arc::clone(&ended),
        };
        std::thread::Builder::new()
            .name("footplate".to_owned())
            .spawn(move || {
                first();
                runtime::run(&farewell.shared, &ready);
            })?;
        match started.recv() {
            Ok(Ok(())) => Ok(Self {
                shared,
                pid: std::process::id(),
                ended,
            }),
            Ok(Err(error)) => Err(error),
            Err(mpsc::RecvError) => Err(StartError::Ended),
        }
    }

    /// The state that workers share with the engine.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Whether this is the process that started the engine: a forked child must not touch it.
    pub fn is_own_process(&self) -> bool {
        self.pid == std::process::id()
    }

    /// Stops claiming and returns what no worker has started. Returns at once; workers see
    /// [`ready::Take::Closed`].
    pub fn quiet(&self) {
        self.shared.quiet();
    }

    /// Waits until the engine has ended, for `limit` at most. Returns whether it has.
    pub fn wait_ended(&self, limit: Duration) -> bool {
        self.ended.wait(limit)
    }

    /// Begins the shutdown: jobs that still run go back to their queues; everything is flushed, with retries until
    /// Redis has it; the lease and the registry entry are given up. Then the engine ends; [`Self::wait_ended`] tells
    /// when.
    pub fn finish(&self) {
        self.shared.return_running();
        self.shared.phase.advance(Phase::Finishing);
    }
}
