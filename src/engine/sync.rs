//! The locks that Ruby's threads and the engine's thread share, in one place so that loom can replace them
//! (`rake test:loom`, tests/loom).

#[cfg(loom)]
pub(crate) use loom::sync::{Arc, Condvar, Mutex, MutexGuard};
#[cfg(not(loom))]
pub(crate) use std::sync::{Arc, Condvar, Mutex, MutexGuard};

#[cfg(not(loom))]
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::PoisonError;

#[cfg(not(loom))]
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
#[cfg(not(loom))]
use rustix::io::Errno;

/// Locks, whatever happened to an earlier holder: what these locks protect is valid between any two statements, and a
/// worker that panicked must not take the others down with it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A place for one thread to sleep that can be woken for two reasons, which are told apart: there is something for it,
/// or Ruby wants it back (a signal, `Thread#raise`, shutdown of the VM).
#[derive(Debug)]
pub struct Parker {
    state: Mutex<Wake>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Wake {
    notified: bool,
    interrupted: bool,
    look_again: bool,
    /// The thread is awake, and about to look.
    stirring: bool,
    /// The bell that wakes the thread while it polls wake sources.
    #[cfg(not(loom))]
    bell: Option<Arc<Bell>>,
}

impl Default for Parker {
    fn default() -> Self {
        Self {
            state: Mutex::new(Wake::default()),
            changed: Condvar::new(),
        }
    }
}

/// Why a parked thread came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// Somebody called [`Parker::notify`].
    Notified,
    /// Somebody called [`Parker::interrupt`], and nobody notified.
    Interrupted,
    /// Somebody called [`Parker::look_again`], and nothing else happened.
    LookAgain,
}

impl Parker {
    /// Wakes the thread because there is something for it.
    pub fn notify(&self) {
        self.wake(|state| state.notified = true);
    }

    /// Wakes the thread because Ruby asks for it. Safe to call at any time, from any thread, any
    /// number of times.
    pub fn interrupt(&self) {
        self.wake(|state| state.interrupted = true);
    }

    /// Wakes the thread because it may have to sleep in another way.
    pub fn look_again(&self) {
        self.wake(|state| state.look_again = true);
    }

    fn wake(&self, why: impl FnOnce(&mut Wake)) {
        let mut state = lock(&self.state);
        why(&mut state);
        // With the lock: the bell may be another's a moment later.
        #[cfg(not(loom))]
        if let Some(bell) = &state.bell {
            return bell.ring();
        }
        drop(state);
        self.changed.notify_one();
    }

    /// There is something for the thread, but it is still asleep.
    pub fn is_deaf(&self) -> bool {
        let state = lock(&self.state);
        state.notified && !state.stirring
    }

    /// Forgets a wake-up that is no longer waited for. To be called by the thread itself, while it does not sleep.
    pub fn clear(&self) {
        *lock(&self.state) = Wake::default();
    }

    /// Sleeps until woken and consumes the reason.
    pub fn park(&self) -> Woken {
        let mut state = lock(&self.state);
        state.stirring = false;
        loop {
            if let Some(reason) = state.consume() {
                return reason;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Wake {
    fn consume(&mut self) -> Option<Woken> {
        if std::mem::take(&mut self.notified) {
            self.interrupted = false;
            self.look_again = false;
            return Some(Woken::Notified);
        }
        if std::mem::take(&mut self.interrupted) {
            return Some(Woken::Interrupted);
        }
        std::mem::take(&mut self.look_again).then_some(Woken::LookAgain)
    }
}

/// Sleeping while polling wake sources: the kernel wakes the engine's thread and this one at the same time.
#[cfg(not(loom))]
impl Parker {
    /// Like [`Self::park`]; `None` when a wake source became readable first.
    pub(crate) fn park_beside(
        &self,
        bell: &Arc<Bell>,
        sources: &[BorrowedFd<'_>],
    ) -> Option<Woken> {
        {
            let mut state = lock(&self.state);
            if let Some(reason) = state.consume() {
                return Some(reason);
            }
            state.stirring = false;
            state.bell = Some(Arc::clone(bell));
        }
        let mut watched: Vec<_> = std::iter::once(&bell.0.as_fd())
            .chain(sources)
            .map(|it| PollFd::from_borrowed_fd(*it, PollFlags::IN))
            .collect();
        while poll(&mut watched, None) == Err(Errno::INTR) {}
        let mut state = lock(&self.state);
        state.bell = None;
        state.stirring = true;
        // Nothing rings from here on; an earlier ring must not end the next sleep.
        bell.silence();
        state.consume()
    }

    /// Waits without sleeping, for up to `limit`. `None` when nothing happened.
    pub(crate) fn expect(&self, limit: std::time::Duration) -> Option<Woken> {
        let deadline = std::time::Instant::now() + limit;
        loop {
            let reason = lock(&self.state).consume();
            if reason.is_some() || std::time::Instant::now() >= deadline {
                return reason;
            }
            std::thread::yield_now();
        }
    }
}

/// Wakes a thread that polls wake sources.
#[cfg(not(loom))]
#[derive(Debug)]
pub(crate) struct Bell(OwnedFd);

#[cfg(not(loom))]
impl Bell {
    /// `None` when the process may not open any more files.
    pub(crate) fn new() -> Option<Arc<Self>> {
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).ok()?;
        Some(Arc::new(Self(bell)))
    }

    fn ring(&self) {
        // This fails only after 2^64 rings.
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }

    fn silence(&self) {
        // This fails when nobody has rung.
        let _ = rustix::io::read(&self.0, &mut [0; 8]);
    }
}

/// An event that happens once, for which any thread can wait.
#[cfg(not(loom))]
#[derive(Debug, Default)]
pub(crate) struct Latch {
    open: Mutex<bool>,
    opened: Condvar,
}

#[cfg(not(loom))]
impl Latch {
    /// The event has happened.
    pub(crate) fn open(&self) {
        *lock(&self.open) = true;
        self.opened.notify_all();
    }

    /// Waits for the event, for `limit` at most. Returns whether it has happened.
    pub(crate) fn wait(&self, limit: std::time::Duration) -> bool {
        let open = lock(&self.open);
        let waited = self.opened.wait_timeout_while(open, limit, |open| !*open);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}
