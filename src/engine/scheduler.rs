//! Moves due jobs from the schedule and the retry set to their queues at the moment they are due.
//!
//! One task per set, so that a large one cannot delay the other. Each sleeps until its next job is due by Redis's
//! clock, or until a message says that the set was touched. Safe beside any number of other pollers: a member is moved
//! only by the one that removes it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::{sleep_until, timeout_at};

use crate::dialect::{Dialect, Writes};
use crate::engine::backoff::Backoff;
use crate::engine::state::control::{Control, Due, DueBatch};
use crate::engine::state::restraint::Restraint;
use crate::engine::state::wakeups::DueSet;
use crate::engine::state::{Phase, Shared};
use crate::store::{Promotion, Store, StoreError};

/// Jobs moved by one step.
const STEP: usize = 200;
/// Bytes read by one step.
const STEP_BYTES: usize = 4 << 20;
/// How long to trust the messages when nothing is due.
const TRUST: Duration = Duration::from_secs(15);
/// How often to look without messages.
const POLL: Duration = Duration::from_millis(500);
/// How long client middleware may take over a step before other processes may try, and how long a job that it failed on
/// stays put. Whole seconds.
const HOLD: Duration = Duration::from_secs(30);
/// Names the operation in failure reports.
const MOVE: &str = "move due jobs";
/// The delay from a touch to the look that answers it: the client that fills the set is probably not finished.
const BREATH: Duration = Duration::from_millis(2);
/// Consecutive free looks at a set in which nothing is due: see restraint.rs.
const IN_HAND: u32 = 3;

/// Serves one set until the engine goes quiet.
pub(super) async fn run(shared: Arc<Shared>, store: Store, set: Arc<DueSet>) {
    let mut scheduler = Scheduler {
        shared: Arc::clone(&shared),
        store,
        set,
        restraint: Restraint::of(IN_HAND),
    };
    let mut attempts = shared.outages.attempts(MOVE);
    while shared.phase.now() == Phase::Running {
        let pause = match scheduler.step().await {
            Ok(pause) => {
                attempts.worked();
                pause
            }
            Err(error) => {
                attempts.failed(&error);
                Some(Duration::from_secs(1))
            }
        };
        if let Some(pause) = pause {
            scheduler.wait(pause).await;
        }
    }
}

struct Scheduler {
    shared: Arc<Shared>,
    store: Store,
    set: Arc<DueSet>,
    restraint: Restraint,
}

impl Scheduler {
    /// Moves one batch. Returns how long to wait before the next, or `None` when there may be more.
    async fn step(&mut self) -> Result<Option<Duration>, StoreError> {
        let due = self.look().await?;
        if due.members.is_empty() {
            let longest = if self.store.is_told() { TRUST } else { POLL };
            return Ok(Some(due.next_in.map_or(longest, |it| it.min(longest))));
        }
        self.restraint.relax();
        let mut members = due.members;
        while !members.is_empty() {
            let answers = if self.shared.settings.client_middleware {
                self.ask_ruby(&members).await
            } else {
                members.iter().map(|it| self.stamp(it)).collect()
            };
            if answers.is_empty() {
                break;
            }
            let answered = members.drain(..answers.len()).zip(answers);
            let (mut promotions, mut malformed) = (Vec::new(), Vec::new());
            for (member, answer) in answered {
                let is_malformed = matches!(answer, Due::Malformed);
                if let Some(writes) = self.writes(answer) {
                    promotions.push(Promotion { member, writes });
                    malformed.push(is_malformed);
                }
            }
            let moved = self.promote(&promotions).await?;
            for ((promotion, moved), malformed) in promotions.iter().zip(moved).zip(malformed) {
                if moved && malformed {
                    self.report(promotion);
                }
            }
        }
        Ok(None)
    }

    /// Retried until Redis has it: middleware that has run must not run again for the same jobs.
    async fn promote(&self, promotions: &[Promotion]) -> Result<Vec<bool>, StoreError> {
        let mut attempts = self.shared.outages.attempts(MOVE);
        let mut backoff = Backoff::default();
        loop {
            match self.store.promote(&self.set.key, promotions).await {
                Err(error) if error.is_temporary() => attempts.failed(&error),
                other => return other,
            }
            backoff.wait().await;
        }
    }

    /// With client middleware, what is due is held first: the middleware must not run twice for one job, since it may
    /// take locks or reject the job.
    async fn look(&self) -> Result<crate::store::Due, StoreError> {
        if self.shared.settings.client_middleware {
            self.store
                .hold_due(&self.set.key, STEP, STEP_BYTES, HOLD)
                .await
        } else {
            self.store.due(&self.set.key, STEP, STEP_BYTES).await
        }
    }

    /// Without client middleware, a push only stamps the payload.
    fn stamp(&self, member: &[u8]) -> Due {
        let now = self.shared.clock.now();
        match self.dialect().promote(member, now, new_jid) {
            Ok(it) => Due::Push {
                queue: it.queue,
                payload: it.payload,
            },
            Err(_) => Due::Malformed,
        }
    }

    /// Returns answers for at least the first of the members: the application may end the thread that runs the
    /// middleware, and the next thread goes on after the job during which it ended. Returns none when the engine goes
    /// quiet.
    async fn ask_ruby(&self, members: &[Vec<u8>]) -> Vec<Due> {
        let (answer, answered) = oneshot::channel();
        self.shared.due.send(DueBatch {
            payloads: members.to_vec(),
            answer,
        });
        let mut answers = answered.await.unwrap_or_default();
        answers.truncate(members.len());
        answers
    }

    fn dialect(&self) -> &Dialect {
        &self.shared.settings.dialects[self.set.dialect]
    }

    /// `None` for a job that stays.
    fn writes(&self, answer: Due) -> Option<Writes> {
        let dialect = self.dialect();
        match answer {
            Due::Push { queue, payload } => {
                let queue = dialect.queue(self.set.dialect, &queue);
                Some(dialect.push(&queue, payload))
            }
            Due::Veto => Some(Writes::default()),
            Due::Malformed => Some(dialect.bury(self.shared.clock.now())),
            Due::Keep => None,
        }
    }

    fn report(&self, malformed: &Promotion) {
        self.shared.control.send(Control::Malformed {
            payload: malformed.member.clone(),
            reason: "not a job, found among the scheduled ones".to_owned(),
        });
    }

    /// Waits until the next one is due, or until one may have arrived that is due before it.
    async fn wait(&mut self, pause: Duration) {
        let (shared, restraint) = (&self.shared, &mut self.restraint);
        let touched = &self.set.touched;
        let due = Instant::now() + pause;
        let next_look = async {
            if timeout_at(due.into(), touched.notified()).await.is_ok() {
                let now = Instant::now();
                let pause = restraint.pause(now, &shared.wakeups.stream, 1).max(BREATH);
                sleep_until(due.min(now + pause).into()).await;
            }
        };
        tokio::select! {
            () = next_look => {}
            () = shared.phase.reached(Phase::Quiet) => {}
        }
    }
}

/// 24 hexadecimal characters, as generated by Sidekiq's client.
fn new_jid() -> String {
    format!("{:024x}", fastrand::u128(..) >> 32)
}
