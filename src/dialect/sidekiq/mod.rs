//! Sidekiq's layout, versions 6.4 to 8.1. See each file for the behaviour it follows.

mod clock;
mod failure;
mod generation;
mod keys;
mod metrics;
mod schedule;

pub use clock::{Utc, millis, payload_time};
pub use failure::{Backtrace, ClassRetry, Failing, Plan, Policy, Raised, Verdict};
pub use generation::{Generation, Jitter, MetricsForm, RetryFor, UnknownVersion};
pub use keys::Keys;
pub use metrics::{BUCKETS, Metrics, Outcome, Write};
pub use schedule::{Malformed, Promotion, promote};
