//! The only room that knows Ruby, and the only one with `unsafe`.
//!
//! Ruby pulls: its threads come for jobs ([`worker`]) and for messages ([`mail`]); nothing here calls
//! into Ruby from a thread that Ruby did not make. Values are built on the thread that uses them.

mod channels;
mod context;
#[cfg(feature = "embed")]
pub mod embed;
mod errors;
mod fork;
mod gvl;
mod handle;
mod job;
mod joblog;
mod json;
mod killed;
mod logger;
mod perform;
mod process;
mod renewal;
#[cfg(feature = "embed")]
pub mod sandbox;
mod sched;
mod stack;
mod trace;
mod worker;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use magnus::{Error, RArray, RString, Ruby, TryConvert, TypedData, function, prelude::*};

/// Defines `Footplate::Native` in the running VM.
pub fn define(ruby: &Ruby) -> Result<(), Error> {
    let footplate = ruby.define_module("Footplate")?;
    let native = footplate.define_module("Native")?;
    native.define_singleton_method("parse", function!(parse, 1))?;
    native.define_singleton_method("give_back_stack", function!(stack::give_back, 0))?;
    native.const_set("VERSION", env!("CARGO_PKG_VERSION"))?;
    handle::define(ruby, native)?;
    job::define(ruby, native)?;
    json::define(ruby);
    remember_classes(ruby);
    Ok(())
}

/// Has magnus look up the classes of our objects now, while there is only one thread. It keeps each in a `Once` that
/// runs Ruby, which may hand the GVL to a second thread that needs the same class. That thread would wait for the
/// first with the GVL held: a deadlock.
fn remember_classes(ruby: &Ruby) {
    handle::Handle::class(ruby);
    job::RubyJob::class(ruby);
}

/// Parses a command line; returns JSON, see [`crate::cli`]. Without a locale Ruby takes the words for US-ASCII, so
/// they are read as bytes.
fn parse(ruby: &Ruby, argv: RArray) -> Result<String, Error> {
    let words = argv.into_iter().map(|word| {
        let word = RString::try_convert(word)?;
        // SAFETY: copied before Ruby runs again.
        Ok(OsString::from_vec(unsafe { word.as_slice() }.to_vec()))
    });
    let words = words.collect::<Result<Vec<_>, Error>>()?;
    serde_json::to_string(&crate::cli::parse(&words)).map_err(|it| errors::runtime(ruby, it))
}
