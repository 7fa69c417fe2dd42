//! How long a worker keeps the GVL from one job to the next.
//!
//! Ruby takes it from a thread for which others wait after 100 ms. Sidekiq's workers let go of it with each job, to ask
//! Redis for the next one; ours have the next one already, and whoever waits for the GVL in the middle of a job (its
//! query was answered, its sleep is over) would wait behind a whole series of others.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Long against what it costs to hand the GVL on, some 10 µs; short against what a job takes that waits for something.
const TURN: Duration = Duration::from_millis(2);
/// Whoever keeps the GVL for so long has used up a time slice, or half a one as thread priority -1 has it: the job will not
/// let go of the GVL by itself.
const SLICE: Duration = Duration::from_millis(45);
/// A whole slice.
const LONGEST: Duration = Duration::from_millis(100);

/// One worker's time with the GVL.
pub(super) struct Turn {
    began: Instant,
    used: Duration,
    length: Duration,
}

impl Turn {
    /// Begins now, after the GVL was waited for so long. Beside a job that takes whole slices a turn is as long as one:
    /// else all the other jobs together would get 2 ms for each 100 of that one.
    pub(super) fn after(waited: Duration) -> Self {
        Self {
            began: Instant::now(),
            used: processor_time(),
            length: if waited < SLICE {
                TURN
            } else {
                waited.min(LONGEST)
            },
        }
    }

    /// Whether this thread has used the GVL for long enough, `now`, between two jobs. If nobody else wants it, the next
    /// turn begins.
    pub(super) fn is_over(&mut self, now: Instant) -> bool {
        if now.saturating_duration_since(self.began) < self.length {
            return false;
        }
        let used = processor_time();
        // If not, it waited for something meanwhile, and the others had theirs.
        let over = used.saturating_sub(self.used) >= self.length;
        (self.began, self.used) = (now, used);
        over
    }
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}
