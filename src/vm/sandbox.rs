//! A VM without a command line or an application, and what benches look at in it: the reader of JSON, which is
//! nobody's business otherwise.

use std::ffi::{c_char, c_int};

use magnus::{Error, Ruby, Value};

/// Boots a VM with nothing loaded but RubyGems, calls `work` in it, and shuts it down. Once per process, on its
/// main thread, before there are others.
pub fn with_vm(work: impl FnOnce(&Ruby)) {
    let mut anchor: rb_sys::VALUE = 0;
    // SAFETY: as promised above; `anchor` lies in the frame that outlives the VM, whose bounds it marks.
    unsafe {
        rb_sys::ruby_init_stack((&raw mut anchor).cast());
        inside(work);
    }
}

/// What holds Ruby values, in a frame within the bounds that [`with_vm`] marked.
///
/// # Safety
///
/// With the stack initialised, as [`with_vm`] does it.
#[inline(never)]
unsafe fn inside(work: impl FnOnce(&Ruby)) {
    let mut argv: [*mut c_char; 4] =
        [c"bench", c"-e", c"nil", c""].map(|it| it.as_ptr().cast_mut());
    argv[3] = std::ptr::null_mut();
    // SAFETY: the strings are static, and an interpreter of `-e` leaves its arguments as they are.
    unsafe {
        rb_sys::ruby_init();
        rb_sys::ruby_options(3 as c_int, argv.as_mut_ptr());
        let ruby = Ruby::get_unchecked();
        super::json::define(&ruby);
        work(&ruby);
        rb_sys::ruby_cleanup(0);
    }
}

/// The Ruby value of a well-formed `json`; `None` where Ruby's own parser must read it.
pub fn read_json(_vm: &Ruby, json: &[u8]) -> Result<Option<Value>, Error> {
    super::json::parse(json)
}
