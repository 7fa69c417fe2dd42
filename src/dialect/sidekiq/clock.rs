//! Times as Sidekiq writes them. Pure: the time is passed in.

use std::fmt::Write as _;

use super::SidekiqVersion;
use crate::job::ruby_float;

/// Epoch milliseconds of epoch seconds. A double holds the seconds of our age to a quarter of a
/// microsecond, so a whole millisecond may come out slightly too small: half a microsecond is tolerated.
pub fn millis(now: f64) -> i64 {
    (now * 1000.0 + 5e-4).floor() as i64
}

/// A timestamp for a payload field, as JSON: whole milliseconds (8) or float seconds (before).
/// `now` is epoch seconds.
pub(super) fn payload_time(now: f64, version: SidekiqVersion) -> String {
    if version.timestamps_in_ms() {
        millis(now).to_string()
    } else {
        ruby_float(now)
    }
}

/// A moment in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Utc {
    /// Gregorian year.
    pub year: i64,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
    /// 0 to 23.
    pub hour: u32,
    /// 0 to 59.
    pub minute: u32,
    /// 0 to 59.
    pub second: u32,
    /// 0 to 999.
    pub millis: u32,
}

impl Utc {
    /// The moment `now` seconds after the epoch, truncated to milliseconds.
    pub fn at(now: f64) -> Self {
        let millis = millis(now);
        let (days, of_day) = (
            millis.div_euclid(86_400_000),
            millis.rem_euclid(86_400_000) as u32,
        );
        // From days to a civil date, by eras of 400 years that begin on 1 March.
        let shifted = days + 719_468;
        let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march = (5 * of_year + 2) / 153;
        let month = if march < 10 { march + 3 } else { march - 9 };
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month: month as u32,
            day: (of_year - (153 * march + 2) / 5 + 1) as u32,
            hour: of_day / 3_600_000,
            minute: of_day / 60_000 % 60,
            second: of_day / 1000 % 60,
            millis: of_day % 1000,
        }
    }

    /// `YYYY-MM-DD`, the form of the daily statistics keys.
    pub fn date(&self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }

    /// `YYYY-MM-DDTHH:MM:SS.mmmZ`, the form of log lines.
    pub fn iso8601(&self) -> String {
        let mut text = self.date();
        let _ = write!(
            text,
            "T{:02}:{:02}:{:02}.{:03}Z",
            self.hour, self.minute, self.second, self.millis
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_gregorian() {
        for (now, text) in [
            (0.0, "1970-01-01T00:00:00.000Z"),
            (951_782_400.0, "2000-02-29T00:00:00.000Z"),
            (1_735_689_599.999, "2024-12-31T23:59:59.999Z"),
            (1_735_689_600.123_456, "2025-01-01T00:00:00.123Z"),
            (4_107_542_399.5, "2100-02-28T23:59:59.500Z"),
            (-0.001, "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(Utc::at(now).iso8601(), text);
        }
    }

    #[test]
    fn payload_times_follow_the_version() {
        assert_eq!(
            payload_time(1_735_689_600.123, SidekiqVersion::new(8, 1, 7)),
            "1735689600123"
        );
        assert_eq!(
            payload_time(1_735_689_600.123, SidekiqVersion::new(7, 3, 2)),
            "1735689600.123"
        );
        assert_eq!(
            payload_time(1_735_689_600.0, SidekiqVersion::new(6, 4, 1)),
            "1735689600.0"
        );
    }

    #[test]
    fn a_whole_millisecond_is_not_lost() {
        for ms in 0..1000 {
            assert_eq!(
                millis(1_735_689_600.0 + f64::from(ms) / 1000.0),
                1_735_689_600_000 + i64::from(ms)
            );
        }
    }
}
