//! The cdylib that Ruby loads as `footplate/native`. It hands the running VM to
//! [`footplate::vm`] and knows nothing else.

// The function that `magnus::init` generates has no documentation, even if ours has.
#![allow(missing_docs)]

/// Entry point that Ruby calls when `footplate/native` is required.
#[magnus::init(name = "native")]
fn init(ruby: &magnus::Ruby) -> Result<(), magnus::Error> {
    footplate::vm::define(ruby)
}
