//! Footplate's engine. See ARCHITECTURE.md for the map of the rooms.

#![forbid(unsafe_op_in_unsafe_fn)]

pub mod cli;
pub mod config;
pub mod dialect;
pub mod engine;
pub mod job;
pub mod store;
#[cfg(feature = "ruby")]
pub mod vm;
