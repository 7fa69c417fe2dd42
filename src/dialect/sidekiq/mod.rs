//! Sidekiq's layout, versions 6.4 to 8.1. See each file for the behaviour it follows.

mod generation;
mod keys;

pub use generation::Generation;
pub use keys::Keys;
