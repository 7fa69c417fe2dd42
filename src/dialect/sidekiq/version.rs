//! Which Sidekiq the application loaded. Whatever differs between versions is decided here.

use std::fmt;
use std::str::FromStr;

/// A Sidekiq version. Without the gem, 8.1.7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SidekiqVersion {
    /// First number.
    pub major: u16,
    /// Second number.
    pub minor: u16,
    /// Third number.
    pub patch: u16,
}

/// By how much a retry's delay may be extended at random, so that jobs that failed together do not come
/// back together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jitter {
    /// `rand(10) * (count + 1)` (6.4, 7).
    Steps,
    /// `rand(10 * (count + 1))` (8).
    Seconds,
}

/// What the payload field `retry_for` (seconds) does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryFor {
    /// Nothing (before 7.1.3).
    Ignored,
    /// A second limit, asked after the count of retries (7.1.3 to 8.0).
    Both,
    /// Takes the place of the count of retries (8.1).
    Exclusive,
}

/// The names of the metrics keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricsForm {
    /// No metrics (before 7; those of 6.5 were an option that is off by default).
    None,
    /// `j|YYYYMMDD|H:M` and `<Class>-DD-HH:M` (7).
    LongDate,
    /// `j|YYMMDD|H:MM`, the same in ten minutes, and `h|<Class>-D-H:M` (8).
    ShortDate,
}

impl SidekiqVersion {
    /// A version by its numbers.
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }

    const fn number(self) -> u64 {
        (self.major as u64) << 32 | (self.minor as u64) << 16 | self.patch as u64
    }

    const fn since(self, major: u16, minor: u16, patch: u16) -> bool {
        self.number() >= Self::new(major, minor, patch).number()
    }

    /// Whether payload timestamps are whole milliseconds (8) or float seconds (before). Scores,
    /// `at`, `started_at` and `beat` are float seconds in every version.
    pub const fn timestamps_in_ms(self) -> bool {
        self.since(8, 0, 0)
    }

    /// Whether the server keeps execution metrics.
    pub const fn has_metrics(self) -> bool {
        self.since(7, 0, 0)
    }

    /// See [`MetricsForm`].
    pub const fn metrics_form(self) -> MetricsForm {
        match self.major {
            0..=6 => MetricsForm::None,
            7 => MetricsForm::LongDate,
            _ => MetricsForm::ShortDate,
        }
    }

    /// See [`Jitter`].
    pub const fn jitter(self) -> Jitter {
        if self.since(8, 0, 0) {
            Jitter::Seconds
        } else {
            Jitter::Steps
        }
    }

    /// See [`RetryFor`].
    pub const fn retry_for(self) -> RetryFor {
        if self.since(8, 1, 0) {
            RetryFor::Exclusive
        } else if self.since(7, 1, 3) {
            RetryFor::Both
        } else {
            RetryFor::Ignored
        }
    }

    /// Whether `retry_for` reads an integer `failed_at` as milliseconds (8). Before, it reads seconds,
    /// so the limit is never reached for a job that failed first on a newer server.
    pub const fn retry_for_reads_ms(self) -> bool {
        self.since(8, 0, 0)
    }

    /// Whether `retry_for` counts the milliseconds of an integer `failed_at`, or whole seconds only.
    pub const fn retry_for_is_subsecond(self) -> bool {
        self.since(8, 1, 5)
    }

    /// Whether death handlers see `discarded_at` in a job that is not stored.
    pub const fn has_discarded_at(self) -> bool {
        self.since(8, 0, 8)
    }

    /// Whether a stored backtrace is one line of Base64, or lines of 60 characters.
    pub const fn strict_base64(self) -> bool {
        self.since(7, 2, 1)
    }

    /// Whether a push turns `retry_for` into a whole number.
    pub const fn normalizes_retry_for(self) -> bool {
        self.since(7, 1, 3)
    }

    /// Whether log lines begin with the level; before, it stands after the context.
    pub const fn logs_level_first(self) -> bool {
        self.since(8, 0, 0)
    }
}

impl Default for SidekiqVersion {
    fn default() -> Self {
        Self::new(8, 1, 7)
    }
}

impl fmt::Display for SidekiqVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// Why a text is not a version.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a version of Sidekiq: {0:?}")]
pub struct UnknownVersion(String);

impl FromStr for SidekiqVersion {
    type Err = UnknownVersion;

    /// Reads `8.1.7`, `8.1` or `8.1.7.beta1`; what is missing is 0.
    fn from_str(text: &str) -> Result<Self, UnknownVersion> {
        let mut parts = text.trim().split('.');
        let mut number = || match parts.next() {
            None => Some(0),
            Some(part) => part.parse().ok(),
        };
        match (number(), number(), number()) {
            (Some(major), Some(minor), patch) if major > 0 => {
                Ok(Self::new(major, minor, patch.unwrap_or(0)))
            }
            _ => Err(UnknownVersion(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: SidekiqVersion = SidekiqVersion::new(6, 4, 1);
    const SEVEN: SidekiqVersion = SidekiqVersion::new(7, 3, 2);
    const EIGHT: SidekiqVersion = SidekiqVersion::new(8, 1, 7);

    #[test]
    fn reads_versions() {
        assert_eq!("8.1.7".parse(), Ok(EIGHT));
        assert_eq!("7.3.2\n".parse(), Ok(SEVEN));
        assert_eq!("6.4.1".parse(), Ok(OLD));
        assert_eq!("8.0.0.beta1".parse(), Ok(SidekiqVersion::new(8, 0, 0)));
        assert_eq!("8.0.beta".parse(), Ok(SidekiqVersion::new(8, 0, 0)));
        assert_eq!("9".parse(), Ok(SidekiqVersion::new(9, 0, 0)));
        for text in ["", "x", "0.1", "8.x", "-1.2.3", "8..1"] {
            assert!(text.parse::<SidekiqVersion>().is_err(), "{text}");
        }
        assert_eq!(SidekiqVersion::default().to_string(), "8.1.7");
    }

    #[test]
    fn orders_by_number() {
        assert!(SidekiqVersion::new(7, 0, 10) > SidekiqVersion::new(7, 0, 9));
        assert!(SidekiqVersion::new(8, 0, 0) > SidekiqVersion::new(7, 99, 99));
    }

    #[test]
    fn knows_what_changed() {
        let of = |fact: fn(SidekiqVersion) -> bool| [OLD, SEVEN, EIGHT].map(fact);
        assert_eq!(of(SidekiqVersion::timestamps_in_ms), [false, false, true]);
        assert_eq!(of(SidekiqVersion::has_metrics), [false, true, true]);
        assert_eq!(of(SidekiqVersion::strict_base64), [false, true, true]);
        assert_eq!(of(SidekiqVersion::has_discarded_at), [false, false, true]);
        assert_eq!(of(SidekiqVersion::logs_level_first), [false, false, true]);
        assert_eq!(
            [OLD, SEVEN, EIGHT].map(SidekiqVersion::jitter),
            [Jitter::Steps, Jitter::Steps, Jitter::Seconds]
        );
        assert_eq!(
            [OLD, SEVEN, EIGHT].map(SidekiqVersion::retry_for),
            [RetryFor::Ignored, RetryFor::Both, RetryFor::Exclusive]
        );
    }

    #[test]
    fn knows_the_day_it_changed() {
        let edge =
            |fact: fn(SidekiqVersion) -> bool, before: (u16, u16, u16), since: (u16, u16, u16)| {
                assert!(
                    !fact(SidekiqVersion::new(before.0, before.1, before.2)),
                    "{before:?}"
                );
                assert!(
                    fact(SidekiqVersion::new(since.0, since.1, since.2)),
                    "{since:?}"
                );
            };
        edge(SidekiqVersion::strict_base64, (7, 2, 0), (7, 2, 1));
        edge(SidekiqVersion::has_discarded_at, (8, 0, 7), (8, 0, 8));
        edge(SidekiqVersion::retry_for_is_subsecond, (8, 1, 4), (8, 1, 5));
    }
}
