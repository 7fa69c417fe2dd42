//! Execution metrics: written in one step per flush, and once.

use super::script::{Call, METRICS};
use super::{Store, StoreError, reply};

/// One write to a metrics key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricWrite {
    /// The key, without the namespace.
    pub key: String,
    /// What to do with it.
    pub op: MetricOp,
}

/// What to do with a metrics key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetricOp {
    /// `HINCRBY`.
    Increment {
        /// The field.
        field: String,
        /// By how much.
        by: i64,
    },
    /// Saturating counters of 16 bits: index and increment of each.
    Histogram {
        /// Index and increment.
        counts: Vec<(u8, u32)>,
    },
    /// `EXPIRE`.
    Expire {
        /// Seconds.
        seconds: u32,
    },
}

impl Store {
    /// Writes a flush of metrics; `false` when the flush with this number was written before.
    /// `sequence` grows with each flush of this holder.
    pub async fn apply_metrics(
        &self,
        holder: &str,
        sequence: u64,
        writes: &[MetricWrite],
    ) -> Result<bool, StoreError> {
        if writes.is_empty() {
            return Ok(false);
        }
        let mut call = Call::keys([self.keys.leases(), self.keys.inflight(holder)]);
        call.arg(holder).arg(sequence);
        for write in writes {
            call.push_key(self.keys.metrics(&write.key));
            match &write.op {
                MetricOp::Increment { field, by } => {
                    call.arg("h").arg(2).arg(field).arg(by);
                }
                MetricOp::Histogram { counts } => {
                    call.arg("b").arg(counts.len() * 2);
                    for (bucket, count) in counts {
                        call.arg(bucket).arg(count);
                    }
                }
                MetricOp::Expire { seconds } => {
                    call.arg("e").arg(1).arg(seconds);
                }
            }
        }
        Ok(reply::integer(&self.link.script(&METRICS, &call).await?)? == 1)
    }
}
