//! Execution metrics: each flush is written in one step, and only once.

use super::script::{Call, METRICS};
use super::{Store, StoreError, reply};
use crate::dialect::MetricsWrite;

impl Store {
    /// Writes a flush of metrics; `false` when the flush with this number was written before. `sequence` grows with
    /// each flush of this holder.
    pub async fn apply_metrics(
        &self,
        holder: &str,
        sequence: u64,
        writes: &[MetricsWrite],
    ) -> Result<bool, StoreError> {
        if writes.is_empty() {
            return Ok(false);
        }
        let mut call = Call::keys([self.names.leases(), self.names.inflight(holder)]);
        call.arg(holder).arg(sequence);
        for write in writes {
            match write {
                MetricsWrite::HashIncrement { key, field, by } => {
                    call.push_key(key.clone());
                    call.arg("h").arg(2).arg(field).arg(by);
                }
                MetricsWrite::Histogram { key, bucket_counts } => {
                    call.push_key(key.clone());
                    let counts = bucket_counts.iter().enumerate().filter(|it| *it.1 > 0);
                    call.arg("b").arg(counts.clone().count() * 2);
                    for (bucket, count) in counts {
                        call.arg(bucket).arg(count);
                    }
                }
                MetricsWrite::Expire { key, seconds } => {
                    call.push_key(key.clone());
                    call.arg("e").arg(1).arg(seconds);
                }
            }
        }
        Ok(reply::integer(&self.link.script(&METRICS, &call).await?)? == 1)
    }
}
