//! Sets of dead jobs. Each script that buries a job trims its set as far as one step may; the rest is trimmed here,
//! step by step.

use redis::Value;

use super::script::{Call, TRIM};
use super::{Store, StoreError, reply};
use crate::dialect::Trim;

impl Store {
    /// Completes when a burial has left more to trim than its step could handle.
    pub async fn dead_set_overfull(&self) {
        self.overfull.notified().await;
    }

    /// Trims one more step; returns whether more is left.
    pub async fn trim_dead_set(&self, trim: &Trim) -> Result<bool, StoreError> {
        let mut call = Call::keys([trim.key.clone()]);
        call.arg(trim.oldest.to_string()).arg(trim.most);
        Ok(reply::integer(&self.link.script(&TRIM, &call).await?)? == 1)
    }

    /// One flag per item, as returned by a script that may bury jobs, and one more if a set of dead jobs is not yet
    /// trimmed.
    pub(super) fn flags_and_trim(
        &self,
        value: Value,
        count: usize,
    ) -> Result<Vec<bool>, StoreError> {
        let mut flags = reply::array(value)?;
        if flags.len() == count + 1 {
            flags.pop();
            self.overfull.notify_one();
        }
        reply::flags(Value::Array(flags), count)
    }
}
