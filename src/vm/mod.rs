//! The only room that knows Ruby.

/// Defines `Footplate::Native` in the running VM.
pub fn define(ruby: &magnus::Ruby) -> Result<(), magnus::Error> {
    use magnus::Module;
    let footplate = ruby.define_module("Footplate")?;
    footplate.define_module("Native").map(|_| ())
}
