//! The engine: one native thread with a tokio runtime that claims, settles, schedules, beats and
//! recovers. Knows nothing of Ruby; Ruby's threads come to it.

pub mod order;
