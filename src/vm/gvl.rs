//! Giving the GVL up and getting it back.
//!
//! The plain `rb_thread_call_without_gvl` checks interrupts after the work and may then throw past
//! its result: a claimed job would vanish. With `RB_NOGVL_INTR_FAIL` nothing is thrown: either the
//! function did not run at all, or we have its result before interrupts are checked.

use std::any::Any;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use magnus::rb_sys::protect;
use magnus::{Error, Ruby};

use crate::engine::sync::Parker;

/// Lets a thread that waits for the GVL have it, if there is one. Releasing and reacquiring it would not: up to Ruby
/// 3.2 a thread that is awake is faster than one that waits. An error is an interruption, as from `thread_check_ints`.
pub(super) fn pass_on(_ruby: &Ruby) -> Result<(), Error> {
    protect(|| {
        // SAFETY: with the GVL, as the caller's `Ruby` shows, and under protect: it may raise.
        unsafe { rb_sys::rb_thread_schedule() };
        rb_sys::Qnil as rb_sys::VALUE
    })
    .map(drop)
}

struct Call<F, R> {
    work: Option<F>,
    result: Option<Result<R, Box<dyn Any + Send>>>,
}

/// Runs `work` without the GVL. `None` when an interrupt was pending and it did not run. Ruby
/// interrupts it through `parker`, on which `work` should sleep; check interrupts afterwards.
///
/// Not for the main thread: where it is the only one, Ruby up to 3.2 starts a thread to call the
/// unblock function and joins it afterwards, and both can throw.
///
/// The bounds keep Ruby values out: they are not `Send`, and must not be touched in there.
pub(super) fn without_gvl<F, R>(parker: &Parker, work: F) -> Option<R>
where
    F: FnOnce() -> R + Send,
    R: Send,
{
    let parker = std::ptr::from_ref(parker).cast_mut().cast();
    // SAFETY: `interrupt` may run on any thread at any time during the call, which `parker` outlives:
    // it only uses the parker's lock and condvar.
    unsafe { call(Some(interrupt), parker, work) }
}

/// As [`without_gvl`], but on any thread, and not interruptible: for what ends by itself.
pub(super) fn uninterrupted<F, R>(work: F) -> Option<R>
where
    F: FnOnce() -> R + Send,
    R: Send,
{
    // SAFETY: there is no unblock function.
    unsafe { call(None, std::ptr::null_mut(), work) }
}

/// # Safety
///
/// `unblock` may be called with `data` by any thread at any time before this returns.
unsafe fn call<F, R>(
    unblock: Option<unsafe extern "C" fn(*mut c_void)>,
    data: *mut c_void,
    work: F,
) -> Option<R>
where
    F: FnOnce() -> R + Send,
    R: Send,
{
    let mut call = Call {
        work: Some(work),
        result: None,
    };
    // SAFETY: `call` outlives the call, which returns on this stack frame: with RB_NOGVL_INTR_FAIL it
    // does not throw, but see `without_gvl`. `run` gets the pointer to exactly this `Call`.
    unsafe {
        rb_sys::rb_nogvl(
            Some(run::<F, R>),
            (&raw mut call).cast(),
            unblock,
            data,
            rb_sys::RB_NOGVL_INTR_FAIL as i32,
        );
    }
    match call.result? {
        Ok(result) => Some(result),
        Err(panic) => resume_unwind(panic),
    }
}

/// A panic must not cross the C frames in between: it is carried over them.
unsafe extern "C" fn run<F: FnOnce() -> R, R>(data: *mut c_void) -> *mut c_void {
    // SAFETY: `data` is the `Call` of `without_gvl`, alive and used by nobody else meanwhile.
    let call = unsafe { &mut *data.cast::<Call<F, R>>() };
    if let Some(work) = call.work.take() {
        call.result = Some(catch_unwind(AssertUnwindSafe(work)));
    }
    std::ptr::null_mut()
}

unsafe extern "C" fn interrupt(data: *mut c_void) {
    // SAFETY: `data` is the parker given to `rb_nogvl`, which outlives the call.
    let parker = unsafe { &*data.cast::<Parker>() };
    parker.interrupt();
}
