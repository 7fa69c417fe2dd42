//! The host's clock, for what Sidekiq takes from the host's clock: time stamps and dates. Leases
//! and due times go by Redis's own.

use std::time::{SystemTime, UNIX_EPOCH};

/// Wall-clock time.
#[derive(Clone, Copy, Debug)]
pub struct Clock;

impl Clock {
    /// Epoch seconds.
    pub fn now(self) -> f64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0.0, |it| it.as_secs_f64())
    }

    /// Today in UTC, as the dated counters are named: `YYYY-MM-DD`.
    pub fn day(self) -> String {
        let (year, month, day) = civil((self.now() / 86_400.0) as i64);
        format!("{year:04}-{month:02}-{day:02}")
    }
}

/// The Gregorian date of a day counted from 1970-01-01 (H. Hinnant's algorithm).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::civil;

    #[test]
    fn dates_are_gregorian() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(19_782), (2024, 2, 29));
        assert_eq!(civil(20_781), (2026, 11, 24));
        assert_eq!(civil(-1), (1969, 12, 31));
    }
}
