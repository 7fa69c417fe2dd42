//! The resolved configuration of a process.

pub mod redis;
