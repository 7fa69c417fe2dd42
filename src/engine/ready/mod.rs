//! The ready queue of one capsule: claimed jobs on their way to Ruby's threads.
//!
//! Waking is designed around the GVL. However many workers there are, only one can run Ruby at a time, so a push wakes
//! one sleeper, and a woken worker that still finds jobs wakes the next. A burst of short jobs thus stays on one thread
//! (no futex, no GVL hand-over per job); as soon as a job blocks, the worker that was woken meanwhile gets the GVL and
//! goes on.
//!
//! While the queue is empty, one sleeper is the *watcher*: it also polls the wake sources, from which it can get a job
//! without the engine's thread. On an idle machine waking a thread takes longer than anything else that happens to a
//! job.
//!
//! Knows nothing of Redis or Ruby. The fetcher reads [`Ready::demand`]; workers call
//! [`Ready::take`] and, when that says [`Take::Empty`], [`Ready::park`].

use std::collections::VecDeque;

use super::sync::{Arc, Mutex, Parker, Woken, lock};

#[cfg(not(loom))]
mod watcher;
#[cfg(not(loom))]
use super::sync::Bell;
#[cfg(not(loom))]
pub use watcher::WakeSource;

/// This many missing jobs are worth a trip to Redis, however many may be ready.
pub const WORTH_A_TRIP: usize = 500;

/// What a worker gets.
#[derive(Debug, PartialEq, Eq)]
pub enum Take<T> {
    /// A job to run.
    Job(T),
    /// Nothing for now: park.
    Empty,
    /// No job will ever come: end.
    Closed,
}

/// What [`Ready::park`] saw, to be passed to [`Ready::arrive`].
#[derive(Clone, Copy, Debug)]
pub struct Parked {
    chosen: bool,
}

/// What the fetcher needs to know to decide how much to claim.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    /// How many jobs may be claimed now; 0 while fewer are missing than half of the prefetch or, if that is less,
    /// [`WORTH_A_TRIP`].
    pub want: usize,
    /// Workers without a job, beyond those for whom one is ready or on its way.
    pub idle: usize,
    /// Jobs claimed and not yet taken.
    pub ready: usize,
    /// How many jobs have ever been taken; if this stands still, the capsule is stalled.
    pub taken: u64,
    /// How many of them are no longer running.
    pub done: u64,
    /// How often workers came by, with or without finding a job.
    pub visits: u64,
}

/// A capsule's ready queue; the module's text describes its waking.
pub struct Ready<T> {
    state: Mutex<State<T>>,
    hungry: Box<dyn Fn() + Send + Sync>,
}

struct State<T> {
    jobs: VecDeque<T>,
    sleepers: Vec<Arc<Parker>>,
    /// One of the sleepers.
    #[cfg(not(loom))]
    watcher: Option<Arc<Parker>>,
    #[cfg(not(loom))]
    sources: Vec<std::sync::Weak<dyn WakeSource<T>>>,
    /// Spare ones for watchers.
    #[cfg(not(loom))]
    bells: Vec<Arc<Bell>>,
    /// Workers woken that have not come back yet: 0 or 1, except for interruptions, [`Ready::hurry`] and the end.
    waking: usize,
    /// Those of them that were woken for a job and are not back from [`Ready::park`].
    called: Vec<Arc<Parker>>,
    workers: usize,
    running: usize,
    prefetch: usize,
    /// How many jobs the claims under way ask for.
    coming: usize,
    fetcher_waits: bool,
    closed: bool,
    taken: u64,
    visits: u64,
}

impl<T> State<T> {
    fn idle(&self) -> usize {
        self.workers
            .saturating_sub(self.running)
            .saturating_sub(self.jobs.len())
    }

    /// How many jobs may wait here: one for each free worker, and the prefetch.
    fn room(&self) -> usize {
        self.workers.saturating_sub(self.running) + self.prefetch
    }

    fn demand(&self) -> Demand {
        let want = self.room().saturating_sub(self.jobs.len() + self.coming);
        let worth_a_trip = (self.prefetch / 2).clamp(1, WORTH_A_TRIP);
        Demand {
            want: if self.closed || want < worth_a_trip {
                0
            } else {
                want
            },
            idle: self.idle().saturating_sub(self.coming),
            ready: self.jobs.len(),
            taken: self.taken,
            done: self.taken - self.running as u64,
            visits: self.visits,
        }
    }

    fn next_to_wake(&mut self) -> Option<Arc<Parker>> {
        if self.waking > 0 || self.jobs.is_empty() || self.closed {
            return None;
        }
        self.call_next()
    }

    fn call_next(&mut self) -> Option<Arc<Parker>> {
        let sleeper = self.next_sleeper()?;
        self.waking += 1;
        self.called.push(Arc::clone(&sleeper));
        Some(sleeper)
    }

    /// The workers that were woken are all still asleep.
    fn nobody_stirs(&self) -> bool {
        !self.called.is_empty() && self.called.iter().all(|it| it.is_deaf())
    }

    #[cfg(loom)]
    fn next_sleeper(&mut self) -> Option<Arc<Parker>> {
        self.sleepers.pop()
    }

    /// The watcher, which may already be awake; else the worker that went to sleep last.
    #[cfg(not(loom))]
    fn next_sleeper(&mut self) -> Option<Arc<Parker>> {
        let watcher = self.watcher.take();
        let place = watcher.and_then(|it| {
            self.sleepers
                .iter()
                .rposition(|other| Arc::ptr_eq(&it, other))
        });
        match place {
            Some(place) => Some(self.sleepers.remove(place)),
            None => self.sleepers.pop(),
        }
    }

    fn fetcher_may_go(&mut self) -> bool {
        if self.fetcher_waits && self.demand().want > 0 {
            self.fetcher_waits = false;
            return true;
        }
        false
    }
}

impl<T> Ready<T> {
    /// A queue for `workers` workers. `hungry` is called, from any thread, once there is demand after the fetcher asked
    /// by [`Self::demand`] and was told 0.
    pub fn new(workers: usize, hungry: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            state: Mutex::new(State {
                jobs: VecDeque::new(),
                sleepers: Vec::new(),
                #[cfg(not(loom))]
                watcher: None,
                #[cfg(not(loom))]
                sources: Vec::new(),
                #[cfg(not(loom))]
                bells: Vec::new(),
                waking: 0,
                called: Vec::new(),
                workers,
                running: 0,
                prefetch: 0,
                coming: 0,
                fetcher_waits: false,
                closed: false,
                taken: 0,
                visits: 0,
            }),
            hungry: Box::new(hungry),
        }
    }

    /// Hands claimed jobs over, in order. A closed queue accepts them too: [`Self::reclaim`] finds them there.
    pub fn push(&self, jobs: impl IntoIterator<Item = T>) {
        let mut state = lock(&self.state);
        state.jobs.extend(jobs);
        let sleeper = state.next_to_wake();
        drop(state);
        if let Some(sleeper) = sleeper {
            sleeper.notify();
        }
    }

    /// Wakes another sleeper for a job that waits here, when the one that was woken for it has not stirred since: the
    /// processor that the kernel chose for it may be busy with something else for milliseconds, while this thread's is
    /// about to be free.
    pub fn hurry(&self) {
        let mut state = lock(&self.state);
        let late = !state.jobs.is_empty() && !state.closed && state.nobody_stirs();
        let another = if late { state.call_next() } else { None };
        drop(state);
        if let Some(another) = another {
            another.notify();
        }
    }

    /// Takes the next job. `finished` says that the caller ran the job it took before.
    pub fn take(&self, finished: bool) -> Take<T> {
        let mut state = lock(&self.state);
        state.running -= usize::from(finished);
        state.visits += 1;
        let taken = if state.closed {
            None
        } else {
            state.jobs.pop_front()
        };
        if taken.is_some() {
            state.running += 1;
            state.taken += 1;
        }
        let closed = state.closed;
        let hungry = state.fetcher_may_go();
        drop(state);
        if hungry {
            (self.hungry)();
        }
        match taken {
            Some(job) => Take::Job(job),
            None if closed => Take::Closed,
            None => Take::Empty,
        }
    }

    /// Sleeps until there may be something to take, or until interrupted. Call without the GVL, and call
    /// [`Self::arrive`] with the result once it is held again, whatever else happens then.
    #[must_use]
    pub fn park(&self, parker: &Arc<Parker>) -> Parked {
        let mut state = lock(&self.state);
        // While another worker is on its way to the GVL, a second would only queue up behind it, and ahead of workers
        // that are in the middle of a job and want to go on: the one that arrives wakes the next.
        let wanted = !state.jobs.is_empty() && state.waking == 0;
        if wanted || state.closed {
            return Parked { chosen: false };
        }
        state.sleepers.push(Arc::clone(parker));
        drop(state);
        let woken = self.sleep(parker);

        let mut state = lock(&self.state);
        let place = state.sleepers.iter().position(|it| Arc::ptr_eq(it, parker));
        if let Some(place) = place {
            state.sleepers.remove(place);
        }
        state.called.retain(|it| !Arc::ptr_eq(it, parker));
        #[cfg(not(loom))]
        state.watcher.take_if(|it| Arc::ptr_eq(it, parker));
        drop(state);
        if woken == Woken::Interrupted {
            // A notification that crossed with the interruption must not end the next sleep.
            parker.clear();
        }
        // If no longer among the sleepers, it was chosen, perhaps between the interruption and here.
        Parked {
            chosen: place.is_none(),
        }
    }

    #[cfg(loom)]
    fn sleep(&self, parker: &Arc<Parker>) -> Woken {
        parker.park()
    }

    /// A worker is back from [`Self::park`], with the GVL: only now may another one be woken. `takes` says whether it
    /// goes on to take a job itself; if not, its wake-up is passed on.
    pub fn arrive(&self, parked: Parked, takes: bool) {
        let mut state = lock(&self.state);
        state.waking -= usize::from(parked.chosen);
        let next = if state.jobs.len() > usize::from(takes) {
            state.next_to_wake()
        } else {
            None
        };
        drop(state);
        if let Some(next) = next {
            next.notify();
        }
    }

    /// The job taken before is finished and no other is wanted (the worker's thread ends).
    pub fn leave(&self) {
        let mut state = lock(&self.state);
        state.running -= 1;
        let hungry = state.fetcher_may_go();
        drop(state);
        if hungry {
            (self.hungry)();
        }
        self.arrive(Parked { chosen: false }, false);
    }

    /// The job taken before is finished, and others should have the GVL before the next is taken. `None` means that
    /// another worker is already on its way to that job: park. Otherwise the caller is: give the GVL up, ask for it
    /// again, and then call [`Self::arrive`].
    #[must_use]
    pub fn end_turn(&self) -> Option<Parked> {
        let mut state = lock(&self.state);
        state.running -= 1;
        state.visits += 1;
        let first = state.waking == 0;
        state.waking += usize::from(first);
        // The worker that takes what is there reports the demand, too.
        let hungry = state.jobs.is_empty() && state.fetcher_may_go();
        drop(state);
        if hungry {
            (self.hungry)();
        }
        first.then_some(Parked { chosen: true })
    }

    /// Workers without a job, beyond those for whom one is ready.
    pub fn idle(&self) -> usize {
        lock(&self.state).idle()
    }

    /// How much the fetcher should claim while it waits for `coming` jobs. When that is 0, `hungry` will be called as
    /// soon as it no longer is.
    pub fn demand(&self, coming: usize) -> Demand {
        let mut state = lock(&self.state);
        state.coming = coming;
        let demand = state.demand();
        state.fetcher_waits = demand.want == 0;
        demand
    }

    /// Sets how many jobs may wait here beyond those for the free workers.
    pub fn set_prefetch(&self, jobs: usize) {
        lock(&self.state).prefetch = jobs;
    }

    /// Takes back, in order, everything that no worker has taken.
    pub fn reclaim(&self) -> Vec<T> {
        lock(&self.state).jobs.drain(..).collect()
    }

    /// Takes back, in order, the jobs here beyond the free workers and the prefetch: the newest, which would wait
    /// longest.
    pub fn reclaim_surplus(&self) -> Vec<T> {
        let mut state = lock(&self.state);
        let keep = state.room().min(state.jobs.len());
        state.jobs.split_off(keep).into()
    }

    /// Closes the queue: nothing can be taken any more.
    pub fn close(&self) {
        let mut state = lock(&self.state);
        state.closed = true;
        let sleepers = std::mem::take(&mut state.sleepers);
        state.waking += sleepers.len();
        drop(state);
        for sleeper in sleepers {
            sleeper.notify();
        }
    }

    /// How many workers are running a job.
    pub fn running(&self) -> usize {
        lock(&self.state).running
    }

    /// How many workers sleep, and how many were woken and are not back yet.
    #[cfg(any(test, loom))]
    pub fn asleep_and_waking(&self) -> (usize, usize) {
        let state = lock(&self.state);
        (state.sleepers.len(), state.waking)
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
