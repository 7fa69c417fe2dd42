//! Whether this process is a child that a job forked. That is asked once or twice per job, so it must cost less than
//! `getpid`: a handler that runs in every child counts forks instead.

use std::ffi::c_int;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

static FORKS: AtomicU32 = AtomicU32::new(0);

unsafe extern "C" {
    fn pthread_atfork(
        prepare: Option<extern "C" fn()>,
        parent: Option<extern "C" fn()>,
        child: Option<extern "C" fn()>,
    ) -> c_int;
}

extern "C" fn count() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}

/// A process at one moment, to tell it from children that it forks later.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin(u32);

impl Origin {
    /// This process, now.
    pub(super) fn here() -> Self {
        static WATCH: Once = Once::new();
        // SAFETY: the handler only adds to an atomic, which a child may do at any time.
        WATCH.call_once(|| unsafe {
            pthread_atfork(None, None, Some(count));
        });
        Self(FORKS.load(Ordering::Relaxed))
    }

    /// Whether there was a fork since, so that the code now runs in a child.
    pub(super) fn is_forked_child(self) -> bool {
        FORKS.load(Ordering::Relaxed) != self.0
    }
}
