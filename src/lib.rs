//! Footplate's engine. See ARCHITECTURE.md for the map of the rooms.

#[cfg(feature = "ruby")]
pub mod vm;
