//! How the kernel schedules the engine's thread.

/// Makes the calling thread, when it wakes, wait for a processor that is free or whose thread has used up its time,
/// instead of preempting another thread. It does so by `SCHED_BATCH`, which needs neither a right nor another nice
/// value; on an idle processor the thread starts as soon as before.
///
/// Redis tells the engine that a queue was touched before it answers the worker that waits at the queue, and a kernel
/// likes to put a woken thread on the processor of its waker. So Redis was preempted, in the middle of a reply, by a
/// thread that had nothing to do (measured: 0.55 ms from push to `perform`, 0.40 with this).
///
/// Only replaces the ordinary policy: if the process was given another, the engine's thread must not fall behind the
/// workers. Where the policy does not exist, or setting it fails, nothing else changes.
#[cfg(target_os = "linux")]
pub(super) fn give_way() {
    // SAFETY: takes a number; 0 is the calling thread. Not the C library's function, as below.
    if unsafe { libc::syscall(libc::SYS_sched_getscheduler, 0) }
        != libc::c_long::from(libc::SCHED_OTHER)
    {
        return;
    }
    let priority: libc::c_int = 0; // all of the kernel's `sched_param`
    // SAFETY: the kernel reads an integer that outlives the call; 0 is the calling thread. Not the C library's function
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

/// Other systems have nothing like it.
#[cfg(not(target_os = "linux"))]
pub(super) fn give_way() {}
