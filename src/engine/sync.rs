//! The locks that Ruby's threads and the engine's thread share, in one place so that loom can
//! stand in for them (`rake test:loom`, tests/loom).

#[cfg(loom)]
pub(crate) use loom::sync::{Arc, Condvar, Mutex, MutexGuard};
#[cfg(not(loom))]
pub(crate) use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use std::sync::PoisonError;

/// Locks, whatever happened to an earlier holder: what these locks protect is valid between any two
/// statements, and a worker that panicked must not take the others with it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A place for one thread to sleep that can be woken for two reasons, told apart: somebody has
/// something for it, or Ruby wants it back (a signal, `Thread#raise`, shutdown of the VM).
#[derive(Debug)]
pub struct Parker {
    state: Mutex<Wake>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Wake {
    notified: bool,
    interrupted: bool,
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
}

impl Parker {
    /// Wakes the thread because there is something for it.
    pub fn notify(&self) {
        lock(&self.state).notified = true;
        self.changed.notify_one();
    }

    /// Wakes the thread because Ruby asks for it. Safe to call at any time, from any thread, any
    /// number of times.
    pub fn interrupt(&self) {
        lock(&self.state).interrupted = true;
        self.changed.notify_one();
    }

    /// Forgets a wake-up that nobody waits for any more.
    pub fn clear(&self) {
        *lock(&self.state) = Wake::default();
    }

    /// Sleeps until woken and consumes the reason.
    pub fn park(&self) -> Woken {
        let mut state = lock(&self.state);
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
            return Some(Woken::Notified);
        }
        std::mem::take(&mut self.interrupted).then_some(Woken::Interrupted)
    }
}

/// Something that happens once, and can be waited for by any thread.
#[cfg(not(loom))]
#[derive(Debug, Default)]
pub(crate) struct Latch {
    open: Mutex<bool>,
    opened: Condvar,
}

#[cfg(not(loom))]
impl Latch {
    /// It has happened.
    pub(crate) fn open(&self) {
        *lock(&self.open) = true;
        self.opened.notify_all();
    }

    /// Waits for it, for `limit` at most. Whether it has happened.
    pub(crate) fn wait(&self, limit: std::time::Duration) -> bool {
        let open = lock(&self.open);
        let waited = self.opened.wait_timeout_while(open, limit, |open| !*open);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}
