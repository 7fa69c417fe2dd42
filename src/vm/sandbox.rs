//! A VM without a command line or an application, for benches, and what they measure in it: the reader of JSON,
//! which is otherwise private.

use std::ffi::{c_char, c_int};

use magnus::{Error, Ruby, Value};

/// Boots a VM with nothing loaded but RubyGems, calls `work` in it, and shuts it down. Once per process, on its
/// main thread, before there are other threads.
pub fn with_vm(work: impl FnOnce(&Ruby)) {
    let mut anchor: rb_sys::VALUE = 0;
    // SAFETY: as promised above; `anchor` lies in a frame that outlives the VM, whose stack bounds it marks.
    unsafe {
        rb_sys::ruby_init_stack((&raw mut anchor).cast());
        inside(work);
    }
}

/// Whatever holds Ruby values, in a frame within the bounds that [`with_vm`] marked.
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

/// The Ruby value of a well-formed `json`; `None` if it needs Ruby's own parser.
pub fn read_json(_vm: &Ruby, json: &[u8]) -> Result<Option<Value>, Error> {
    super::json::parse(json)
}
