//! Passes what rb-sys learnt about the Ruby at hand on to this crate, as `cfg(ruby_gte_3_x)`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::env::var_os("CARGO_FEATURE_RUBY").is_some() {
        rb_sys_env::activate()?;
    }
    Ok(())
}
