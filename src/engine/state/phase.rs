//! How far the engine is on its way out.

use tokio::sync::watch;

/// In this order; never back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Claiming and running.
    Running,
    /// No new jobs; what runs may finish.
    Quiet,
    /// Flush everything and end.
    Finishing,
}

/// The present phase, and whoever waits for a later one.
pub struct Progress(watch::Sender<Phase>);

impl Default for Progress {
    fn default() -> Self {
        Self(watch::Sender::new(Phase::Running))
    }
}

impl Progress {
    /// How far it is.
    pub fn now(&self) -> Phase {
        *self.0.borrow()
    }

    /// Moves on; never back.
    pub(in crate::engine) fn advance(&self, to: Phase) {
        self.0.send_if_modified(|phase| {
            let later = to > *phase;
            if later {
                *phase = to;
            }
            later
        });
    }

    /// Completes once the engine is at least as far as `phase`.
    pub(in crate::engine) async fn reached(&self, phase: Phase) {
        let mut watch = self.0.subscribe();
        // The sender lives in `self`: waiting cannot fail.
        let _ended = watch.wait_for(|it| *it >= phase).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waits_for_an_earlier_phase_goes_on_and_nothing_leads_back() {
        let progress = Progress::default();
        let quiet = progress.reached(Phase::Quiet);
        progress.advance(Phase::Finishing);
        quiet.await;
        progress.advance(Phase::Quiet);
        assert_eq!(progress.now(), Phase::Finishing);
    }
}
