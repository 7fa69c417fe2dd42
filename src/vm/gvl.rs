//! Giving the GVL up and getting it back.
//!
//! The plain `rb_thread_call_without_gvl` checks interrupts after the work and may then throw past
//! its result: a claimed job would vanish. With `RB_NOGVL_INTR_FAIL` nothing is thrown: either the
//! function did not run at all, or its result is in our hands before anybody looks at interrupts.

use std::any::Any;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::engine::sync::Parker;

struct Call<F, R> {
    work: Option<F>,
    result: Option<Result<R, Box<dyn Any + Send>>>,
}

/// Runs `work` without the GVL. `None` when an interrupt was pending and it did not run. Ruby
/// interrupts it through `parker`, on which `work` should sleep; check interrupts afterwards.
///
/// The bounds keep Ruby values out: they are neither `Send` nor to be touched in there.
pub(super) fn without_gvl<F, R>(parker: &Parker, work: F) -> Option<R>
where
    F: FnOnce() -> R + Send,
    R: Send,
{
    let mut call = Call {
        work: Some(work),
        result: None,
    };
    // SAFETY: `call` and `parker` outlive the call, which returns on this stack frame and does not
    // throw with RB_NOGVL_INTR_FAIL. `run` gets the pointer to exactly this `Call`. `interrupt` may
    // run on any thread at any time during the call: it only uses the parker's lock and condvar.
    unsafe {
        rb_sys::rb_nogvl(
            Some(run::<F, R>),
            (&raw mut call).cast(),
            Some(interrupt),
            std::ptr::from_ref(parker).cast_mut().cast(),
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
