//! The schedule and retry sets: what is due moves to its queue.

use std::time::Duration;

use super::script::{Call, DUE, PROMOTE};
use super::{Store, StoreError, reply};

/// A set of jobs that wait for their time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DueSet {
    /// `schedule`.
    Schedule,
    /// `retry`.
    Retry,
}

/// What is due, and when to look again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// The members, longest due first. They stay in the set until promoted.
    pub members: Vec<Vec<u8>>,
    /// Until the next one is due by Redis's clock; zero when more are due already, `None` when the
    /// set is empty but for `members`. A day at most.
    pub next_in: Option<Duration>,
}

/// What to do with a due member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PromotionKind {
    /// To the back of a queue.
    Push {
        /// Bare name of the queue.
        queue: String,
        /// What goes there.
        payload: Vec<u8>,
    },
    /// Forgotten: the client middleware said no.
    Drop,
    /// As it is to the dead set: it cannot be read.
    Bury,
}

/// A due member and what to do with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// The member as read.
    pub member: Vec<u8>,
    /// What to do with it.
    pub kind: PromotionKind,
}

impl Store {
    /// Reads what is due in `set`: at most `limit` members and about `max_bytes`.
    pub async fn due(
        &self,
        set: DueSet,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Due, StoreError> {
        self.hold_due(set, limit, max_bytes, Duration::ZERO).await
    }

    /// As [`Self::due`], and moves what it returns `hold` (whole seconds) into the future: until then
    /// nobody else sees it as due, and after that everybody does if the caller never came back to
    /// it. For work between reading and promoting that should not be done by two at once.
    pub async fn hold_due(
        &self,
        set: DueSet,
        limit: usize,
        max_bytes: usize,
        hold: Duration,
    ) -> Result<Due, StoreError> {
        let mut call = Call::keys([self.due_key(set)]);
        call.arg(limit.max(1)).arg(max_bytes).arg(hold.as_secs());
        let mut parts = reply::array(self.link.script(&DUE, &call).await?)?.into_iter();
        let wait = parts.next().as_ref().map_or(Ok(-1), reply::integer)?;
        let members = parts.map(reply::bytes).collect::<Result<_, _>>()?;
        Ok(Due {
            members,
            next_in: u64::try_from(wait).ok().map(Duration::from_micros),
        })
    }

    /// Moves members of `set` on; says of each whether it was still there.
    pub async fn promote(
        &self,
        set: DueSet,
        promotions: &[Promotion],
        now: f64,
    ) -> Result<Vec<bool>, StoreError> {
        if promotions.is_empty() {
            return Ok(Vec::new());
        }
        let mut call = Call::keys([self.due_key(set), self.keys.queues(), self.keys.dead()]);
        call.arg(&self.trim(now));
        for promotion in promotions {
            let (op, queue, payload): (_, &str, &[u8]) = match &promotion.kind {
                PromotionKind::Push { queue, payload } => ("p", queue, payload),
                PromotionKind::Drop => ("d", "", b""),
                PromotionKind::Bury => ("m", "", b""),
            };
            let key = if op == "p" {
                call.key(self.keys.queue(queue))
            } else {
                0
            };
            call.arg(&promotion.member)
                .arg(op)
                .arg(key)
                .arg(queue)
                .arg(payload);
        }
        let reply = self.link.script(&PROMOTE, &call).await?;
        self.flags_and_trim(reply, promotions.len())
    }

    fn due_key(&self, set: DueSet) -> String {
        match set {
            DueSet::Schedule => self.keys.schedule(),
            DueSet::Retry => self.keys.retry(),
        }
    }
}
