//! Which Sidekiq the application loaded; everything that changed between versions asks here.

/// A Sidekiq version. Without the gem, 8.1.7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation {
    /// First number.
    pub major: u16,
    /// Second number.
    pub minor: u16,
    /// Third number.
    pub patch: u16,
}
