//! Booting a VM inside our own executable, as `ruby` itself does: the locale before anything else
//! (encodings depend on it), the process's own arguments (`$0 = …` writes into them), `RUBYOPT` and YJIT
//! flags through `ruby_options`, `at_exit` and the exit status through `ruby_cleanup`.

use std::ffi::{CString, NulError, OsString, c_char, c_int, c_void};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI32, AtomicPtr, Ordering};

use magnus::Ruby;
use magnus::rb_sys::protect;

/// Names the folder with our Ruby files, for an executable that was moved out of its checkout and a
/// bundle without the gem.
const LIB_VARIABLE: &str = "FOOTPLATE_LIB";
/// Where the Ruby files were when this executable was built.
const BUILT_FROM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/ruby/lib");
/// Without a folder of our own, the gem must be installed, or in the bundle.
const FROM_GEM: &str = "require 'footplate/server/cli'; exit Footplate::CLI.start(ARGV)";

/// Why no VM could be booted.
#[derive(Debug, thiserror::Error)]
pub enum EmbedError {
    /// An argument contains a NUL byte.
    #[error("an argument contains a NUL byte: {0}")]
    Argument(#[from] NulError),
    /// The bridge could not be defined in the VM.
    #[error("cannot set up Ruby: {0}")]
    Bridge(String),
}

/// Boots a VM with this process's arguments, runs the command line in it, and shuts the VM down.
/// Returns the exit status that `ruby` would end with. Once per process, on its main thread.
pub fn run() -> Result<u8, EmbedError> {
    let argv = arguments()?;
    let mut pointers: Vec<*mut c_char> = argv.iter().map(|it| it.as_ptr().cast_mut()).collect();
    // SAFETY: the loader's array, which nobody has changed yet.
    unsafe { point_to_originals(&mut pointers) };
    pointers.push(std::ptr::null_mut());
    let mut anchor: rb_sys::VALUE = 0;
    // SAFETY: once, on the main thread, before any other thread exists. `anchor` lies in a frame that
    // outlives the VM, whose stack bounds it marks. `pointers` and `argv` live until after the cleanup.
    let status = unsafe {
        libc::setlocale(libc::LC_CTYPE, c"".as_ptr());
        let mut argc = PROCESS_ARGC.load(Ordering::Relaxed);
        let mut real_argv = PROCESS_ARGV.load(Ordering::Relaxed).cast::<*mut c_char>();
        rb_sys::ruby_sysinit(&raw mut argc, &raw mut real_argv);
        rb_sys::ruby_init_stack((&raw mut anchor).cast());
        boot(argv.len() as c_int, pointers.as_mut_ptr())
    }?;
    Ok(exit_code(status))
}

/// Whatever holds Ruby values, in a frame of its own, within the bounds that [`run`] marked.
///
/// # Safety
///
/// With the stack initialised, as [`run`] does it; `argv` holds `argc` strings that outlive the VM.
#[inline(never)]
unsafe fn boot(argc: c_int, argv: *mut *mut c_char) -> Result<c_int, EmbedError> {
    // SAFETY: the caller's promise.
    unsafe {
        rb_sys::ruby_init();
        let node = rb_sys::ruby_options(argc, argv);
        let mut status = 0;
        if rb_sys::ruby_executable_node(node, &raw mut status) == 0 {
            // RUBYOPT asked for something else, or the options were wrong, which Ruby has reported.
            rb_sys::ruby_cleanup(0);
            return Ok(status);
        }
        if let Err(error) = provide_bridge() {
            rb_sys::ruby_cleanup(0);
            return Err(error);
        }
        Ok(rb_sys::ruby_cleanup(rb_sys::ruby_exec_node(node)))
    }
}

/// Ruby writes the process title over the arguments it was given, as far as they are contiguous in memory. So those
/// that are the process's own must be the originals, not our copies: the first, and the last ones.
///
/// # Safety
///
/// The process's arguments must be as the loader left them, and `pointers` made from them.
unsafe fn point_to_originals(pointers: &mut [*mut c_char]) {
    let originals = PROCESS_ARGV.load(Ordering::Relaxed).cast::<*mut c_char>();
    let count = usize::try_from(PROCESS_ARGC.load(Ordering::Relaxed)).unwrap_or(0);
    if originals.is_null() || count == 0 || pointers.len() < count {
        return;
    }
    // SAFETY: the caller's promise: `count` pointers.
    let originals = unsafe { std::slice::from_raw_parts(originals, count) };
    pointers[0] = originals[0];
    let given = pointers.len() - (count - 1);
    pointers[given..].copy_from_slice(&originals[1..]);
}

fn exit_code(status: c_int) -> u8 {
    u8::try_from(status & 0xFF).unwrap_or(1)
}

/// Our own arguments as `ruby` would get them: the folder of our files, the script, then the user's.
fn arguments() -> Result<Vec<CString>, EmbedError> {
    let mut given = std::env::args_os();
    let name = given.next().unwrap_or_else(|| OsString::from("footplate"));
    let mut argv = vec![name];
    match library() {
        Some(lib) => {
            let script = lib.join("../exe/footplate");
            argv.extend([OsString::from("-I"), lib.into_os_string()]);
            argv.push(script.into_os_string());
        }
        None => argv.extend(["-e", FROM_GEM, "--"].map(OsString::from)),
    }
    argv.extend(given);
    let argv = argv.into_iter().map(|it| CString::new(it.into_vec()));
    Ok(argv.collect::<Result<_, _>>()?)
}

fn library() -> Option<PathBuf> {
    let named = std::env::var_os(LIB_VARIABLE).map(PathBuf::from);
    named.or_else(|| Some(PathBuf::from(BUILT_FROM)).filter(|it| it.is_dir()))
}

/// The bridge is linked into this executable: defined here, and marked as loaded so that
/// `require "footplate/native"` does not bring a second copy of everything.
///
/// # Safety
///
/// In a VM that is set up, on its main thread.
unsafe fn provide_bridge() -> Result<(), EmbedError> {
    // SAFETY: the caller's promise.
    let ruby = unsafe { Ruby::get_unchecked() };
    super::define(&ruby).map_err(|it| EmbedError::Bridge(it.to_string()))?;
    let name = script_name()?;
    protect(|| {
        // SAFETY: under protect; both strings are NUL-terminated and copied.
        unsafe {
            rb_sys::rb_provide(c"footplate/native".as_ptr());
            rb_sys::rb_provide(c"footplate/native.so".as_ptr());
            rb_sys::ruby_script(name.as_ptr());
        }
        rb_sys::Qnil as rb_sys::VALUE
    })
    .map(|_| ())
    .map_err(|it| EmbedError::Bridge(it.to_string()))
}

/// The value of `$0`: this executable, as it is the script for `ruby`.
fn script_name() -> Result<CString, NulError> {
    let name = std::env::args_os().next().unwrap_or_default();
    CString::new(Path::new(&name).as_os_str().as_bytes())
}

static PROCESS_ARGC: AtomicI32 = AtomicI32::new(0);
static PROCESS_ARGV: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());

/// The original arguments. Rust only gives out copies, but Ruby needs the originals, because it writes the process
/// title over them. The loader passes them to every initialiser.
#[used]
#[cfg_attr(target_os = "linux", unsafe(link_section = ".init_array"))]
#[cfg_attr(target_os = "macos", unsafe(link_section = "__DATA,__mod_init_func"))]
static KEEP_ARGUMENTS: extern "C" fn(c_int, *mut c_void) = keep_arguments;

extern "C" fn keep_arguments(argc: c_int, argv: *mut c_void) {
    PROCESS_ARGC.store(argc, Ordering::Relaxed);
    PROCESS_ARGV.store(argv, Ordering::Relaxed);
}
