//! Where log lines go, and in what shape.

use serde::Deserialize;

use super::{ConfigError, mistake};

/// What the engine needs to know about the log.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// Set if the engine may write the lines itself; none if the application has its own logger, which then
    /// gets every line through Ruby.
    #[serde(default)]
    pub native: Option<NativeLog>,
    /// Whether `start`, `done` and `fail` are left out (Sidekiq 7.3 and newer).
    #[serde(default)]
    pub skip_default_job_logging: bool,
}

/// A log that needs no Ruby.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct NativeLog {
    /// An open file descriptor. It belongs to a Ruby IO object: never close it.
    pub fd: i32,
    /// The shape of a line.
    pub format: Format,
    /// Whether the level is coloured; in Sidekiq 8 it is even without a terminal.
    pub colour: bool,
}

/// The gem's formatters.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Time, process, thread, context, message.
    Pretty,
    /// The same and never coloured (8.0.7 and newer).
    Plain,
    /// Without the time, which Heroku adds by itself.
    WithoutTimestamp,
    /// One JSON object on each line.
    Json,
}

impl Log {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        match self.native {
            Some(NativeLog { fd, .. }) if fd < 0 => {
                mistake(format!("log.native.fd: {fd} is no file descriptor."))
            }
            _ => Ok(()),
        }
    }
}
