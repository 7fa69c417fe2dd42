//! Moves due jobs from the schedule and the retry set to their queues, at the moment they are due.
//!
//! One task per set, so that a large one cannot delay the other. Each sleeps until its next job is
//! due by Redis's clock, or until a message says that the set was touched. Safe beside any number of
//! other pollers: a member moves only for the one that removes it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::{sleep, timeout};

use super::control::{Control, Due, DueBatch};
use super::shared::{Patience, Phase, Shared};
use crate::dialect::sidekiq;
use crate::store::{DueSet, Promotion, PromotionKind, Store, StoreError};

/// Jobs moved by one step.
const STEP: usize = 200;
/// Bytes read by one step.
const STEP_BYTES: usize = 4 << 20;
/// How long to trust the messages when nothing is due.
const TRUST: Duration = Duration::from_secs(15);
/// How often to look without messages.
const POLL: Duration = Duration::from_millis(500);
/// How long client middleware may take over a step before others may try, and how long a job that it
/// failed on stays put. Whole seconds.
const HOLD: Duration = Duration::from_secs(30);
/// As it is said when it fails.
const MOVE: &str = "move due jobs";
/// The shortest time between two looks when nothing is due: others' failures touch the retry set often.
const BREATH: Duration = Duration::from_millis(2);

/// What a job gets that says nothing about itself, as the gem's client adds it.
const DEFAULTS: [(&str, &[u8]); 2] = [("retry", b"true"), ("queue", b"\"default\"")];

/// Serves one set until the engine goes quiet.
pub(super) async fn run(shared: Arc<Shared>, store: Store, set: DueSet) {
    let scheduler = Scheduler { shared, store, set };
    let mut attempts = scheduler.shared.attempts(MOVE);
    while scheduler.shared.phase() == Phase::Running {
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
    set: DueSet,
}

impl Scheduler {
    /// Moves one batch. How long to wait before the next, or `None` when there may be more.
    async fn step(&self) -> Result<Option<Duration>, StoreError> {
        let due = self.look().await?;
        if due.members.is_empty() {
            let longest = if self.store.server().tracking {
                TRUST
            } else {
                POLL
            };
            return Ok(Some(due.next_in.map_or(longest, |it| it.min(longest))));
        }
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
            let promotions: Vec<Promotion> = members
                .drain(..answers.len())
                .zip(answers)
                .filter_map(|(member, answer)| promotion(member, answer))
                .collect();
            let moved = self.promote(&promotions).await?;
            self.report(&promotions, &moved);
        }
        Ok(None)
    }

    /// Until Redis has it: the middleware that has run must not run for the same jobs again.
    async fn promote(&self, promotions: &[Promotion]) -> Result<Vec<bool>, StoreError> {
        let mut attempts = self.shared.attempts(MOVE);
        let mut patience = Patience::default();
        loop {
            let now = self.shared.clock.now();
            match self.store.promote(self.set, promotions, now).await {
                Err(error) if error.is_temporary() => attempts.failed(&error),
                other => return other,
            }
            patience.wait().await;
        }
    }

    /// With client middleware what is due is held first: it must not run twice for one job, since it may
    /// take locks or say no.
    async fn look(&self) -> Result<crate::store::Due, StoreError> {
        if self.shared.settings.client_middleware {
            self.store.hold_due(self.set, STEP, STEP_BYTES, HOLD).await
        } else {
            self.store.due(self.set, STEP, STEP_BYTES).await
        }
    }

    /// Without client middleware a push only stamps the payload.
    fn stamp(&self, member: &[u8]) -> Due {
        let now = self.shared.clock.now();
        let generation = self.shared.settings.generation;
        match sidekiq::promote(member, now, generation, &DEFAULTS, new_jid) {
            Ok(it) => Due::Push {
                queue: it.queue,
                payload: it.payload,
            },
            Err(_) => Due::Malformed,
        }
    }

    /// Answers about the first of the members, at least: the application may end the thread that it is asked in, and the
    /// next one goes on behind the job under which it ended. None when the engine quiets.
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

    fn report(&self, promotions: &[Promotion], moved: &[bool]) {
        for (promotion, moved) in promotions.iter().zip(moved) {
            if *moved && matches!(promotion.kind, PromotionKind::Bury) {
                self.shared.control.send(Control::Malformed {
                    payload: promotion.member.clone(),
                    reason: "not a job, found among the scheduled ones".to_owned(),
                });
            }
        }
    }

    async fn wait(&self, pause: Duration) {
        let touched: &Notify = match self.set {
            DueSet::Schedule => &self.shared.schedule_touched,
            DueSet::Retry => &self.shared.retry_touched,
        };
        tokio::select! {
            _ = timeout(pause, touched.notified()) => sleep(BREATH.min(pause)).await,
            () = self.shared.reached(Phase::Quiet) => {}
        }
    }
}

fn promotion(member: Vec<u8>, answer: Due) -> Option<Promotion> {
    let kind = match answer {
        Due::Push { queue, payload } => PromotionKind::Push { queue, payload },
        Due::Veto => PromotionKind::Drop,
        Due::Malformed => PromotionKind::Bury,
        Due::Keep => return None,
    };
    Some(Promotion { member, kind })
}

/// 24 hexadecimal characters, as Sidekiq's client makes them.
fn new_jid() -> String {
    format!("{:024x}", fastrand::u128(..) >> 32)
}
