//! How the kernel schedules the engine's thread.

/// Has the calling thread wait for a processor that is free, or whose thread has had its time, rather than take one away
/// from whoever has just been given it. It runs under `SCHED_BATCH`: for that neither a right nor another nice value is
/// needed, and on an idle processor it begins as soon as ever.
///
/// Redis tells the engine that a queue was touched before it answers the worker that waits at it, and a kernel likes to
/// put who is woken on the processor of the waker: so Redis had to stand aside, in the middle of a reply, for a thread that
/// had nothing to do (measured: 0.55 ms from push to `perform`, 0.40 with this).
///
/// Only from the ordinary policy: where the process was given another, the engine's thread must not fall behind the workers.
/// Where there is no such thing, or it fails, everything else is the same.
#[cfg(target_os = "linux")]
pub(super) fn give_way() {
    // SAFETY: takes a number; 0 is the calling thread. As below, not by the C library's function.
    if unsafe { libc::syscall(libc::SYS_sched_getscheduler, 0) }
        != libc::c_long::from(libc::SCHED_OTHER)
    {
        return;
    }
    let priority: libc::c_int = 0; // all of the kernel's `sched_param`
    // SAFETY: the kernel reads an integer that outlives the call; 0 is the calling thread. Not by the C library's function
    // of the same name, which musl leaves out.
    let _ = unsafe {
        libc::syscall(
            libc::SYS_sched_setscheduler,
            0,
            libc::SCHED_BATCH,
            &raw const priority,
        )
    };
}

/// There is nothing like it.
#[cfg(not(target_os = "linux"))]
pub(super) fn give_way() {}
