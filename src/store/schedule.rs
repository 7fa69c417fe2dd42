//! Sets of jobs that wait for their time: moving on what is due.

use std::time::Duration;

use super::script::{Call, DUE, PROMOTE};
use super::{Store, StoreError, reply, writes};
use crate::dialect::Writes;

/// What is due, and when to look again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// The members, longest due first. They stay in the set until promoted.
    pub members: Vec<Vec<u8>>,
    /// Until the next one is due by Redis's clock; zero when more are due already, `None` when the set is empty except
    /// for `members`. A day at most.
    pub next_in: Option<Duration>,
}

/// A due member and what its dialect wants written as it leaves the set.
#[derive(Clone, Debug, PartialEq)]
pub struct Promotion {
    /// The member as read.
    pub member: Vec<u8>,
    /// Where it goes, if anywhere.
    pub writes: Writes,
}

impl Store {
    /// Reads what is due in the set of this full key: at most `limit` members and about `max_bytes`.
    pub async fn due(&self, set: &str, limit: usize, max_bytes: usize) -> Result<Due, StoreError> {
        self.hold_due(set, limit, max_bytes, Duration::ZERO).await
    }

    /// Like [`Self::due`], and moves what it returns `hold` (whole seconds) into the future: until then no other
    /// process sees it as due, and after that every process does if the caller never came back to it. For work between
    /// reading and promoting that should not be done by two at once.
    pub async fn hold_due(
        &self,
        set: &str,
        limit: usize,
        max_bytes: usize,
        hold: Duration,
    ) -> Result<Due, StoreError> {
        let mut call = Call::keys([set.to_owned()]);
        call.arg(limit.max(1)).arg(max_bytes).arg(hold.as_secs());
        let mut parts = reply::array(self.link.script(&DUE, &call).await?)?.into_iter();
        let wait = parts.next().as_ref().map_or(Ok(-1), reply::integer)?;
        let members = parts.map(reply::bytes).collect::<Result<_, _>>()?;
        Ok(Due {
            members,
            next_in: u64::try_from(wait).ok().map(Duration::from_micros),
        })
    }

    /// Moves members of `set` on; returns for each whether it was still there.
    pub async fn promote(
        &self,
        set: &str,
        promotions: &[Promotion],
    ) -> Result<Vec<bool>, StoreError> {
        if promotions.is_empty() {
            return Ok(Vec::new());
        }
        let mut call = Call::keys([set.to_owned()]);
        for promotion in promotions {
            call.arg(&promotion.member);
            writes::push(&mut call, &promotion.writes);
        }
        let reply = self.link.script(&PROMOTE, &call).await?;
        self.flags_and_trim(reply, promotions.len())
    }
}
