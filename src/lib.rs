//! Footplate's engine. ARCHITECTURE.md says what each module is for.

#![forbid(unsafe_op_in_unsafe_fn)]

pub mod cli;
pub mod config;
pub mod dialect;
pub mod engine;
pub mod job;
pub mod store;
#[cfg(feature = "ruby")]
pub mod vm;
