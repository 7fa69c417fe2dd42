//! What an application's Redis looks like. Pure: no IO, no clock, no randomness of its own (both are
//! passed in), no Ruby.

pub mod sidekiq;
