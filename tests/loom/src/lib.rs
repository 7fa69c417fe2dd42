//! Every interleaving (up to a bound of preemptions) of the few threads that meet on the ready queue. A lost
//! wake-up shows as a deadlock, which loom reports.
#![cfg(loom)]

#[path = "../../../src/engine/ready/mod.rs"]
pub mod ready;
#[path = "../../../src/engine/sync.rs"]
pub mod sync;

#[cfg(test)]
mod models;
