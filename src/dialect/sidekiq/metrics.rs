//! Execution metrics, as metrics/tracking.rb of Sidekiq 7 and 8 keeps them: counts and times per
//! class and minute, and a histogram of times. Older versions have none.

use std::collections::HashMap;

use super::clock::Utc;
use super::{Keys, MetricsForm, SidekiqVersion};

/// Upper bounds of the histogram's buckets, in milliseconds; a last bucket takes the rest.
const BOUNDS: [f64; 25] = [
    20.0, 30.0, 45.0, 65.0, 100.0, 150.0, 225.0, 335.0, 500.0, 750.0, 1_100.0, 1_700.0, 2_500.0,
    3_800.0, 5_750.0, 8_500.0, 13_000.0, 20_000.0, 30_000.0, 45_000.0, 65_000.0, 100_000.0,
    150_000.0, 225_000.0, 335_000.0,
];

/// Buckets of a histogram.
pub(super) const BUCKETS: usize = BOUNDS.len() + 1;

const SHORT_TERM: u32 = 8 * 60 * 60;
const MID_TERM: u32 = 3 * 24 * 60 * 60;

/// How a job ended, as far as metrics care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measured {
    /// `perform` returned.
    Success,
    /// An iterable job stopped, to go on later: its time counts.
    Interrupted,
    /// It raised: its time means nothing and is not kept.
    Failed,
}

/// One write to Redis. Keys are full names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetricsWrite {
    /// `HINCRBY key field by`.
    HashIncrement {
        /// Hash of one minute, or of ten.
        key: String,
        /// `<Class>|p` (attempts), `<Class>|f` (failures) or `<Class>|ms` (milliseconds).
        field: String,
        /// How much is added.
        by: u64,
    },
    /// `BITFIELD key OVERFLOW SAT` and an `INCRBY u16 #<bucket> <n>` for each count above 0.
    Histogram {
        /// Histogram of one class and minute.
        key: String,
        /// New times in each bucket.
        bucket_counts: [u32; BUCKETS],
    },
    /// `EXPIRE key seconds`.
    Expire {
        /// The hash or histogram just written.
        key: String,
        /// How long it is kept.
        seconds: u32,
    },
}

#[derive(Default)]
struct Totals {
    processed: u64,
    failed: u64,
    timed: bool,
    ms: f64,
    buckets: [u32; BUCKETS],
}

/// What ran since the last [`Metrics::drain`].
pub struct Metrics {
    keys: Keys,
    version: SidekiqVersion,
    classes: HashMap<Box<str>, Totals>,
}

impl Metrics {
    /// Nothing yet.
    pub fn new(version: SidekiqVersion, keys: Keys) -> Self {
        Self {
            keys,
            version,
            classes: HashMap::new(),
        }
    }

    /// Adds one attempt of `class` (the field `wrapped`, or `class`) that took `ms` milliseconds.
    /// Allocates only for a class that it has not seen since the last drain.
    pub fn record(&mut self, class: &str, measured: Measured, ms: f64) {
        if !self.version.has_metrics() {
            return;
        }
        let totals = match self.classes.get_mut(class) {
            Some(totals) => totals,
            None => self.classes.entry(class.into()).or_default(),
        };
        totals.processed += 1;
        if measured == Measured::Failed {
            totals.failed += 1;
            return;
        }
        let ms = ms.max(0.0);
        totals.timed = true;
        totals.ms += ms;
        let bucket = BOUNDS
            .iter()
            .position(|&bound| ms < bound)
            .unwrap_or(BOUNDS.len());
        totals.buckets[bucket] = totals.buckets[bucket].saturating_add(1);
    }

    /// Takes what was recorded, as the writes of one flush: in Sidekiq's order, under the keys of the
    /// minute of `now` (epoch seconds). Empty if nothing ran.
    pub fn drain(&mut self, now: f64) -> Vec<MetricsWrite> {
        if self.classes.is_empty() {
            return Vec::new();
        }
        let mut classes: Vec<_> = self.classes.drain().collect();
        classes.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let time = Utc::at(now);
        let form = self.version.metrics_form();
        let mut writes = Vec::with_capacity(classes.len() * 8 + 2);
        for (class, totals) in &classes {
            let key = match (form, totals.timed) {
                (MetricsForm::None, _) | (_, false) => continue,
                (MetricsForm::LongDate, _) => {
                    format!("{class}-{:02}-{:02}:{}", time.day, time.hour, time.minute)
                }
                (MetricsForm::ShortDate, _) => {
                    format!("h|{class}-{}-{}:{}", time.day, time.hour, time.minute)
                }
            };
            let key = self.keys.metrics(&key);
            writes.push(MetricsWrite::Histogram {
                key: key.clone(),
                bucket_counts: totals.buckets,
            });
            writes.push(MetricsWrite::Expire {
                key,
                seconds: SHORT_TERM,
            });
        }
        let Utc {
            year,
            month,
            day,
            hour,
            minute,
            ..
        } = time;
        match form {
            MetricsForm::None => {}
            MetricsForm::LongDate => {
                hash(
                    &mut writes,
                    &classes,
                    &self
                        .keys
                        .metrics(&format!("j|{year:04}{month:02}{day:02}|{hour}:{minute}")),
                    SHORT_TERM,
                );
            }
            MetricsForm::ShortDate => {
                let date = format!("j|{:02}{month:02}{day:02}|{hour}:", year.rem_euclid(100));
                hash(
                    &mut writes,
                    &classes,
                    &self.keys.metrics(&format!("{date}{}", minute / 10)),
                    MID_TERM,
                );
                hash(
                    &mut writes,
                    &classes,
                    &self.keys.metrics(&format!("{date}{minute:02}")),
                    SHORT_TERM,
                );
            }
        }
        writes
    }
}

fn hash(writes: &mut Vec<MetricsWrite>, classes: &[(Box<str>, Totals)], key: &str, seconds: u32) {
    let mut add = |class: &str, what: &str, by: u64| {
        writes.push(MetricsWrite::HashIncrement {
            key: key.to_owned(),
            field: format!("{class}|{what}"),
            by,
        });
    };
    for (class, totals) in classes {
        // Sidekiq writes a time of 0 too: the field shows that a time is known.
        if totals.timed {
            add(class, "ms", totals.ms.round() as u64);
        }
        if totals.failed > 0 {
            add(class, "f", totals.failed);
        }
        add(class, "p", totals.processed);
    }
    writes.push(MetricsWrite::Expire {
        key: key.to_owned(),
        seconds,
    });
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// 2025-02-04 08:03:59 UTC.
    const NOW: f64 = 1_738_656_239.0;

    fn drained(version: SidekiqVersion) -> Vec<MetricsWrite> {
        let mut metrics = Metrics::new(version, Keys::default());
        metrics.record("B", Measured::Failed, 12.0);
        metrics.record("A", Measured::Success, 20.0);
        metrics.record("A", Measured::Interrupted, 1e9);
        metrics.record("A", Measured::Failed, 5.0);
        let writes = metrics.drain(NOW);
        assert!(metrics.drain(NOW).is_empty());
        writes
    }

    fn inc(key: &str, field: &str, by: u64) -> MetricsWrite {
        MetricsWrite::HashIncrement {
            key: key.to_owned(),
            field: field.to_owned(),
            by,
        }
    }

    fn expire(key: &str, seconds: u32) -> MetricsWrite {
        MetricsWrite::Expire {
            key: key.to_owned(),
            seconds,
        }
    }

    fn histogram(key: &str) -> MetricsWrite {
        let mut bucket_counts = [0; BUCKETS];
        bucket_counts[1] = 1;
        bucket_counts[25] = 1;
        MetricsWrite::Histogram {
            key: key.to_owned(),
            bucket_counts,
        }
    }

    fn counts(key: &str) -> [MetricsWrite; 4] {
        [
            inc(key, "A|ms", 1_000_000_020),
            inc(key, "A|f", 1),
            inc(key, "A|p", 3),
            inc(key, "B|f", 1),
        ]
    }

    #[test]
    fn eight_keeps_minutes_and_tens_of_minutes() {
        let mut expected = vec![histogram("h|A-4-8:3"), expire("h|A-4-8:3", 28_800)];
        for (key, seconds) in [("j|250204|8:0", 259_200), ("j|250204|8:03", 28_800)] {
            expected.extend(counts(key));
            expected.push(inc(key, "B|p", 1));
            expected.push(expire(key, seconds));
        }
        assert_eq!(drained(SidekiqVersion::new(8, 1, 7)), expected);
    }

    #[test]
    fn seven_keeps_minutes() {
        let key = "j|20250204|8:3";
        let mut expected = vec![histogram("A-04-08:3"), expire("A-04-08:3", 28_800)];
        expected.extend(counts(key));
        expected.push(inc(key, "B|p", 1));
        expected.push(expire(key, 28_800));
        assert_eq!(drained(SidekiqVersion::new(7, 3, 2)), expected);
    }

    #[test]
    fn six_keeps_nothing() {
        assert!(drained(SidekiqVersion::new(6, 4, 1)).is_empty());
    }

    #[test]
    fn a_bound_belongs_to_the_next_bucket() {
        let bucket = |ms: f64| {
            let mut metrics = Metrics::new(SidekiqVersion::default(), Keys::default());
            metrics.record("A", Measured::Success, ms);
            match &metrics.drain(NOW)[0] {
                MetricsWrite::Histogram { bucket_counts, .. } => {
                    bucket_counts.iter().position(|&n| n == 1).unwrap()
                }
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(
            [0.0, 19.9, 20.0, 334_999.0, 335_000.0, f64::INFINITY].map(bucket),
            [0, 0, 1, 24, 25, 25]
        );
        assert_eq!(bucket(-1.0), 0);
    }
}
