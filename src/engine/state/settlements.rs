//! Outcomes on their way from the workers to the settler. Nothing here talks to Redis.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, timeout_at};

use super::parcels::{Parcels, Sorted};
use crate::engine::sync::{Mutex, lock};
use crate::job::{Ended, Job, Measure, Outcome};

/// How many outcomes one call carries.
pub(in crate::engine) const BATCH: usize = 1_000;
/// Successes wait for one another until this long after the last call, so that at a few hundred jobs per second not
/// every job is a call of its own. Should the process die meanwhile, they run again; so this is no longer than an
/// acknowledgement may take on a busy Redis anyway. Any other outcome is sent without waiting, and so is a full
/// [`BATCH`].
const GATHER: Duration = Duration::from_millis(5);

/// Outcomes on their way from the workers to Redis.
#[derive(Default)]
pub struct Settlements {
    inbox: Mutex<Inbox>,
    arrived: Notify,
    /// Something arrived for which successes do not wait: see [`GATHER`].
    pressing: Notify,
    /// Whether the settler holds a batch that Redis has not confirmed.
    unconfirmed: AtomicBool,
    /// How many outcomes the settler holds.
    held: AtomicUsize,
    /// Notified after each batch that Redis has confirmed.
    confirmed: Notify,
    /// How many rounds of the settler are over: see [`Self::served`].
    served: AtomicU64,
}

/// Tokens of jobs that come by hand-off begin here, above those of all claims.
const FIRST_TOKEN: u64 = 1 << 52;

#[derive(Default)]
struct Inbox {
    /// Jobs that are not in the in-flight table yet; adopting them comes before anything else is done with them.
    handed_over: Vec<HandedOver>,
    /// How many there have ever been.
    handed_over_ever: u64,
    ended: Vec<Ended>,
    /// How often the settler has emptied it.
    rounds: u64,
}

impl Inbox {
    fn is_empty(&self) -> bool {
        self.handed_over.is_empty() && self.ended.is_empty()
    }
}

/// A job that came by `BLMOVE`.
pub(in crate::engine) struct HandedOver {
    pub(in crate::engine) job: Arc<Job>,
    /// Notified once the job is in the table, or belongs to another holder.
    pub(in crate::engine) adopted: oneshot::Sender<()>,
}

impl Settlements {
    /// Hands in one outcome.
    pub fn push(&self, ended: Ended) {
        let pressing = !matches!(ended.outcome, Outcome::Done);
        self.add(pressing, |inbox| inbox.ended.push(ended));
    }

    /// Hands in the same outcome for many jobs, in order. Returns the round to wait for: see [`Self::served`].
    pub fn push_all(&self, jobs: Vec<Arc<Job>>, outcome: impl Fn() -> Outcome) -> u64 {
        let ended = jobs.into_iter().map(|job| Ended {
            job,
            outcome: outcome(),
            elapsed: None,
            measure: Measure::Nothing,
        });
        self.add(true, |inbox| {
            inbox.ended.extend(ended);
            inbox.rounds + 1
        })
    }

    /// Called before a worker can hand in an outcome for the job. `make` receives the job's token: tokens grow in the
    /// order in which jobs are adopted.
    pub(in crate::engine) fn hand_over(&self, make: impl FnOnce(u64) -> HandedOver) -> Arc<Job> {
        self.add(true, |inbox| {
            let it = make(FIRST_TOKEN + inbox.handed_over_ever);
            let job = Arc::clone(&it.job);
            inbox.handed_over_ever += 1;
            inbox.handed_over.push(it);
            job
        })
    }

    fn add<T>(&self, pressing: bool, add: impl FnOnce(&mut Inbox) -> T) -> T {
        let mut inbox = lock(&self.inbox);
        let was_empty = inbox.is_empty();
        let added = add(&mut inbox);
        let enough = inbox.ended.len() == BATCH;
        drop(inbox);
        if was_empty {
            self.arrived.notify_one();
        }
        if pressing || enough {
            self.pressing.notify_one();
        }
        added
    }

    /// Whether Redis has everything.
    pub fn is_empty(&self) -> bool {
        lock(&self.inbox).is_empty() && !self.unconfirmed.load(Ordering::Acquire)
    }

    /// How many outcomes Redis has not confirmed.
    pub fn unsettled(&self) -> usize {
        lock(&self.inbox).ended.len() + self.held.load(Ordering::Acquire)
    }

    /// The settler is done with this many outcomes.
    pub(in crate::engine) fn settled(&self, count: usize) {
        self.held.fetch_sub(count, Ordering::AcqRel);
    }

    fn drain(&self) -> Inbox {
        let mut inbox = lock(&self.inbox);
        self.held.fetch_add(inbox.ended.len(), Ordering::AcqRel);
        if !inbox.is_empty() {
            self.unconfirmed.store(true, Ordering::Release);
        }
        // Expect as many next time: workers, who hold the GVL, need not make room one by one.
        let expected = inbox.ended.len().min(BATCH);
        inbox.rounds += 1;
        Inbox {
            rounds: inbox.rounds,
            handed_over: std::mem::take(&mut inbox.handed_over),
            handed_over_ever: inbox.handed_over_ever,
            ended: std::mem::replace(&mut inbox.ended, Vec::with_capacity(expected)),
        }
    }

    /// Hands everything that arrives to `flush`, forever.
    pub(in crate::engine) async fn serve(
        &self,
        mut flush: impl AsyncFnMut(Vec<HandedOver>, Sorted),
    ) {
        let mut parcels = Parcels::default();
        let mut last_call: Option<Instant> = None;
        loop {
            let arrived = match parcels.due() {
                Some(due) => timeout_at(due.into(), self.arrived.notified())
                    .await
                    .is_ok(),
                None => {
                    self.arrived.notified().await;
                    true
                }
            };
            // From here on, what has arrived waits: for the call, and then perhaps for the others of its parcel.
            let since = Instant::now();
            if let Some(last) = last_call.filter(|_| arrived) {
                let due = parcels.due().map(Instant::from);
                let until = due.map_or(last + GATHER, |due| due.min(last + GATHER));
                // A timeout is as good as something pressing.
                let _ = timeout_at(until, self.pressing.notified()).await;
            }
            let Inbox {
                handed_over,
                ended,
                rounds,
                ..
            } = self.drain();
            let sorted = parcels.sort(ended, since.into_std());
            flush(handed_over, sorted).await;
            last_call = Some(Instant::now());
            // Set before anybody is notified: a task that waits for the list to be empty must find it so.
            self.unconfirmed
                .store(parcels.due().is_some(), Ordering::Release);
            self.served.store(rounds, Ordering::Release);
            self.confirmed.notify_waiters();
        }
    }

    /// Completes once Redis has what was handed in before this round ended, except for successes that wait for the
    /// others of their parcel.
    pub(in crate::engine) async fn served(&self, round: u64) {
        loop {
            let confirmed = self.confirmed.notified();
            if self.served.load(Ordering::Acquire) >= round {
                break;
            }
            confirmed.await;
        }
    }

    /// Completes once Redis has everything.
    pub(in crate::engine) async fn flushed(&self) {
        self.pressing.notify_one();
        while !self.is_empty() {
            let confirmed = self.confirmed.notified();
            if self.is_empty() {
                break;
            }
            confirmed.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Token;

    fn jobs(count: u64) -> Vec<Arc<Job>> {
        let job = |token| Job {
            token: Token(token),
            parcel: None,
            epoch: 1,
            queue: crate::job::Queue::named("default"),
            payload: Box::default(),
            envelope: None,
        };
        (0..count).map(|it| Arc::new(job(it))).collect()
    }

    #[tokio::test]
    async fn whoever_waits_for_the_last_flush_is_told_of_it() {
        for count in [1, BATCH as u64, BATCH as u64 + 1, 3 * BATCH as u64] {
            let settlements = Settlements::default();
            settlements.push_all(jobs(count), || Outcome::Returned);
            let mut sent = 0;
            let serve = settlements.serve(async |_, sorted: Sorted| {
                tokio::task::yield_now().await;
                sent += sorted.single.len() as u64;
            });
            tokio::select! {
                biased;
                () = settlements.flushed() => {}
                () = serve => unreachable!("it serves for ever"),
                () = tokio::time::sleep(Duration::from_secs(5)) => panic!("{count}: nobody was told"),
            }
            assert_eq!(sent, count);
        }
    }

    #[tokio::test]
    async fn whoever_waits_for_some_is_told_once_they_are_served_whatever_comes_behind_them() {
        let settlements = Settlements::default();
        let calls = std::cell::Cell::new(0);
        let serve = settlements.serve(async |_, _: Sorted| {
            calls.set(calls.get() + 1);
            // There is always more.
            settlements.push_all(jobs(1), || Outcome::Failed);
            tokio::task::yield_now().await;
        });
        let wait = async {
            for _ in 0..3 {
                let round = settlements.push_all(jobs(1), || Outcome::Returned);
                let before = calls.get();
                settlements.served(round).await;
                // The call under way, its own, and one until it was notified.
                assert!(calls.get() > before && calls.get() <= before + 3);
            }
        };
        tokio::select! {
            () = wait => {}
            () = serve => unreachable!("it serves for ever"),
            () = tokio::time::sleep(Duration::from_secs(5)) => panic!("nobody was told"),
        }
    }

    fn succeeded(token: u64) -> Ended {
        Ended {
            job: jobs(token + 1).remove(token as usize),
            outcome: Outcome::Done,
            elapsed: None,
            measure: Measure::Nothing,
        }
    }

    /// How many outcomes each call carries, and when it was made, while `act` runs.
    async fn calls(act: impl AsyncFnOnce(&Settlements)) -> Vec<(usize, Duration)> {
        let settlements = Settlements::default();
        let began = Instant::now();
        let mut calls = Vec::new();
        let serve = settlements.serve(async |_, sorted: Sorted| {
            calls.push((sorted.single.len(), began.elapsed()));
        });
        tokio::select! {
            () = async { act(&settlements).await; settlements.flushed().await } => {}
            () = serve => unreachable!("it serves for ever"),
        }
        calls
    }

    const PAUSE: Duration = Duration::from_millis(1);

    #[tokio::test(start_paused = true)]
    async fn a_success_goes_at_once_and_those_behind_it_together() {
        let calls = calls(async |settlements| {
            for number in 0..4 {
                settlements.push(succeeded(number));
                tokio::time::sleep(PAUSE).await;
            }
            tokio::time::sleep(4 * GATHER).await;
            settlements.push(succeeded(4));
            tokio::time::sleep(PAUSE).await;
        })
        .await;
        let counts: Vec<usize> = calls.iter().map(|it| it.0).collect();
        assert_eq!(counts, [1, 3, 1]);
        assert!(
            calls[1].1 >= GATHER && calls[1].1 <= GATHER + PAUSE,
            "{calls:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_presses_takes_the_waiting_along() {
        let calls = calls(async |settlements| {
            settlements.push(succeeded(0));
            tokio::time::sleep(PAUSE).await;
            settlements.push(succeeded(1));
            tokio::time::sleep(PAUSE).await;
            settlements.push_all(jobs(1), || Outcome::Failed);
            tokio::time::sleep(4 * GATHER).await;
            // This many at once need not wait.
            settlements.push(succeeded(2));
            tokio::time::sleep(PAUSE).await;
            (0..BATCH as u64).for_each(|_| settlements.push(succeeded(0)));
            tokio::time::sleep(PAUSE).await;
            settlements.push(succeeded(3));
            tokio::time::sleep(PAUSE).await;
        })
        .await;
        let counts: Vec<usize> = calls.iter().map(|it| it.0).collect();
        assert_eq!(counts, [1, 2, 1, BATCH, 1]);
        // The last one goes early because somebody waits for all of them.
        let waited = calls[4].1 - calls[3].1;
        assert!(
            calls[1].1 < GATHER && calls[3].1 - calls[2].1 < GATHER && waited < GATHER,
            "{calls:?}"
        );
    }
}
