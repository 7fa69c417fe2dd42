//! Passes what rb-sys learnt about the Ruby at hand on to this crate, as `cfg(ruby_gte_3_x)`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Without this line cargo runs it again, and builds all, whenever any file of the checkout changes.
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var_os("CARGO_FEATURE_RUBY").is_some() {
        rb_sys_env::activate()?;
    }
    Ok(())
}
