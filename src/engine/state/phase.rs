//! How far the shutdown has come.

use tokio::sync::watch;

/// Phases only ever advance, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Claiming and running jobs.
    Running,
    /// No new jobs; running ones may finish.
    Quiet,
    /// Flush everything and end.
    Finishing,
}

/// The present phase, and a way to wait for a later one.
pub struct Progress(watch::Sender<Phase>);

impl Default for Progress {
    fn default() -> Self {
        Self(watch::Sender::new(Phase::Running))
    }
}

impl Progress {
    /// The present phase.
    pub fn now(&self) -> Phase {
        *self.0.borrow()
    }

    /// Advances to `to`; never goes back.
    pub(in crate::engine) fn advance(&self, to: Phase) {
        self.0.send_if_modified(|phase| {
            let later = to > *phase;
            if later {
                *phase = to;
            }
            later
        });
    }

    /// Completes once the engine has reached `phase`, or a later one.
    pub(in crate::engine) async fn reached(&self, phase: Phase) {
        let mut watch = self.0.subscribe();
        // `self` owns the sender, so waiting cannot fail.
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
