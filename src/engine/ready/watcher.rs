//! Wake sources of a ready queue: ways by which a job reaches a sleeping worker without the engine's thread.
//!
//! One sleeper at a time, the watcher, polls them while it sleeps. Left out of loom's models: everything here happens
//! between going to sleep and being woken, and a job from a wake source is pushed like any other.

use std::os::fd::BorrowedFd;
use std::sync::Weak;
use std::time::Duration;

use super::{Arc, Bell, Parker, Ready, Woken, lock};

/// How long a watcher stays awake after a wake source announced something that turned out to be for the engine.
const ANNOUNCED: Duration = Duration::from_micros(100);

/// A way by which the next job may come.
pub trait WakeSource<T>: Send + Sync {
    /// Becomes readable when one does.
    fn socket(&self) -> BorrowedFd<'_>;
    /// Hands the job to `push`, if it can be had here.
    fn take(&self, push: &mut dyn FnMut(T));
}

/// What the watcher polls while it sleeps.
struct Watch<T> {
    sources: Vec<Arc<dyn WakeSource<T>>>,
    bell: Arc<Bell>,
}

impl<T> Ready<T> {
    /// Wakes all that sleep, so that each checks once more whether it is to go on.
    pub fn rouse(&self) {
        let sleepers = lock(&self.state).sleepers.clone();
        for it in sleepers {
            it.interrupt();
        }
    }

    pub(super) fn sleep(&self, parker: &Arc<Parker>) -> Woken {
        loop {
            let woken = match self.sleep_at_doors(parker) {
                Some(woken) => woken,
                None => parker.park(),
            };
            if woken != Woken::LookAgain {
                return woken;
            }
        }
    }

    /// `None` when there are no wake sources, or when what one announced is for no worker here: then the sleeper stops
    /// polling them, since they may stay readable for long.
    fn sleep_at_doors(&self, parker: &Arc<Parker>) -> Option<Woken> {
        let Watch { sources, bell } = self.watch(parker)?;
        let sockets: Vec<_> = sources.iter().map(|source| source.socket()).collect();
        let woken = parker.park_beside(&bell, &sockets);
        lock(&self.state).bells.push(bell);
        if woken.is_some() {
            return woken;
        }
        for source in &sources {
            source.take(&mut |job| self.push([job]));
        }
        let woken = parker.expect(ANNOUNCED);
        if woken.is_none() {
            self.unwatch(parker);
        }
        woken
    }

    /// The wake sources to poll, if this sleeper is to be the watcher.
    fn watch(&self, parker: &Arc<Parker>) -> Option<Watch<T>> {
        let mut state = lock(&self.state);
        let sources: Vec<_> = state.sources.iter().filter_map(Weak::upgrade).collect();
        let other = state
            .watcher
            .as_ref()
            .is_some_and(|it| !Arc::ptr_eq(it, parker));
        // No longer, if it was chosen meanwhile.
        let asleep = state.sleepers.iter().any(|it| Arc::ptr_eq(it, parker));
        if sources.is_empty() || other || !asleep {
            return None;
        }
        // Not one that somebody still polls: two would take each other's wake-ups.
        let bell = state.bells.pop().or_else(Bell::new)?;
        state.watcher = Some(Arc::clone(parker));
        Some(Watch { sources, bell })
    }

    fn unwatch(&self, parker: &Arc<Parker>) {
        let mut state = lock(&self.state);
        state.watcher.take_if(|it| Arc::ptr_eq(it, parker));
    }

    /// From now on a job may come from `source`, as long as that exists: a sleeper watches it.
    pub(crate) fn watch_at(&self, source: &Arc<dyn WakeSource<T>>) {
        let mut state = lock(&self.state);
        state.sources.retain(|it| it.strong_count() > 0);
        let same =
            |it: &Weak<dyn WakeSource<T>>| std::ptr::addr_eq(it.as_ptr(), Arc::as_ptr(source));
        let known = state.sources.iter().any(same);
        if known && state.watcher.is_some() {
            return;
        }
        if !known {
            state.sources.push(Arc::downgrade(source));
        }
        let sleeper = state.watcher.as_ref().or(state.sleepers.last()).cloned();
        drop(state);
        if let Some(sleeper) = sleeper {
            sleeper.look_again();
        }
    }
}

#[cfg(test)]
mod tests;
