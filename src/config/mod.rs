//! The resolved configuration of a process.
