//! Sidekiq's layout, versions 6.4 to 8.1. See each file for the behaviour it follows.

mod clock;
mod failure;
mod fields;
mod generation;
mod keys;
mod logline;
mod metrics;
mod registry;
mod schedule;
mod served;
mod work;

pub use clock::{Utc, millis, payload_time};
pub use failure::{Backtrace, Failing, Plan, Policy, Raised, Verdict};
pub use generation::{Generation, Jitter, MetricsForm, RetryFor, UnknownVersion};
pub use keys::Keys;
pub use logline::{Context, Level, Line, Style};
pub use metrics::{BUCKETS, Metrics, Outcome, Write};
pub use registry::{Beat, CapsuleFacts, Mode, ProcessFacts};
pub use schedule::{Malformed, Promotion, promote};
pub use served::served_queues;
pub use work::{shown_bytes, work_entry};
