//! Passes what rb-sys learnt about the Ruby at hand on to this crate, as `cfg(ruby_gte_3_x)`, and sees to it that the
//! standalone executable finds its libruby.

use std::{env, error::Error};

fn main() -> Result<(), Box<dyn Error>> {
    // Without this line cargo runs it again, and builds all, whenever any file of the checkout changes.
    println!("cargo:rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_RUBY").is_some() {
        let ruby = rb_sys_env::activate()?;
        if env::var_os("CARGO_FEATURE_EMBED").is_some() {
            link_libruby(&ruby)?;
        }
    }
    Ok(())
}

fn link_libruby(ruby: &rb_sys_env::RbEnv) -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-env-changed=RUBY_STATIC");
    let shared = ruby.get_rbconfig_value("ENABLE_SHARED") == Some("yes");
    if !shared && env::var_os("RUBY_STATIC").is_none() {
        return Err("this Ruby has no shared libruby (configure --enable-shared), which the executable needs; \
                    the gem works without it. RUBY_STATIC=true tries all the same"
            .into());
    }
    // A Ruby outside the system's prefix (rbenv, /usr/local) is not where the dynamic linker looks.
    if let Some(libdir) = ruby.get_rbconfig_value("libdir")
        && shared
        && !libdir.starts_with("/usr/lib")
    {
        println!("cargo:rustc-link-arg-bins=-Wl,-rpath,{libdir}");
    }
    Ok(())
}
