//! The quickest way to get a job from an empty queue: `BLMOVE` waits at the queue on a connection of its own, and the
//! job comes with the wake-up, one round trip sooner than by a claim. It comes into a list that belongs to the holder,
//! and from there into the in-flight table.

use std::sync::Arc;
use std::time::Duration;

use redis::Value;
use redis::aio::MultiplexedConnection;

use super::connect;
use super::reply_peek::ReplyPeek;
use super::script::{ADOPT, Call, LEAVE, MAY_WAIT, SWEEP};
use super::settle::Name;
use super::{Store, StoreError, reply};
use crate::job::Queue;

/// How long one command waits. Not longer, because a server may give a job to a client that is gone.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How long an empty list is remembered after somebody last waited for it: longer than any server keeps a command of a
/// client that is gone.
const MEMORY: u32 = 3_600;

/// The answer of [`Handoff::may_wait`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MayWait {
    /// Go on with [`Handoff::wait`].
    Free,
    /// Not now: the queue is paused, or jobs must be claimed with care (see claim.lua).
    Refused,
    /// A job arrived when nobody was waiting any more: adopt it before anything else.
    Stranded(Vec<u8>),
}

/// The answer of [`Store::adopt`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adoption {
    /// It is in the table of a holder with a lease.
    Held,
    /// It is in the table, but the holder has no lease: others will recover it unless the lease is renewed soon.
    Orphaned,
    /// It is not there: the lease was lost, and others have the job.
    Gone,
}

/// A place to wait for the jobs of one queue.
pub struct Handoff {
    store: Store,
    queue: Arc<Queue>,
    line: Option<Line>,
}

/// A connection that may block, and the server's id for it.
struct Line {
    connection: MultiplexedConnection,
    client: ClientId,
    peek: Option<Arc<ReplyPeek>>,
}

impl Drop for Line {
    /// Others may still hold the peek: the server must know at once that nobody is waiting any more.
    fn drop(&mut self) {
        if let Some(peek) = &self.peek {
            peek.close();
        }
    }
}

/// Identifies the connection for [`Store::unblock`].
#[derive(Clone, Copy, Debug)]
pub struct ClientId(i64);

impl Store {
    /// A place to wait at `queue`. Connects when it is first used.
    pub fn handoff(&self, queue: Arc<Queue>) -> Handoff {
        Handoff {
            store: self.clone(),
            queue,
            line: None,
        }
    }

    /// Moves a job that was handed over to the in-flight table, under a token larger than that of any job handed over
    /// before.
    pub async fn adopt(
        &self,
        holder: &str,
        queue: &Queue,
        token: u64,
        payload: &[u8],
    ) -> Result<Adoption, StoreError> {
        let mut call = Call::keys([
            self.names.handoff(holder, &queue.key),
            self.names.inflight(holder),
            self.names.leases(),
            self.names.orphans(),
            self.names.trials(),
            self.names.suspects(),
        ]);
        call.arg(holder)
            .arg(token)
            .arg(Name::default().of(token, queue))
            .arg(payload);
        match reply::integer(&self.link.script(&ADOPT, &call).await?)? {
            0 => Ok(Adoption::Gone),
            1 => Ok(Adoption::Held),
            2 => Ok(Adoption::Orphaned),
            other => Err(StoreError::unexpected(other)),
        }
    }

    /// Ends the wait of a [`Handoff`]: its reply is final then, a job or none.
    pub async fn unblock(&self, client: ClientId) -> Result<(), StoreError> {
        let mut command = redis::cmd("CLIENT");
        command.arg("UNBLOCK").arg(client.0);
        self.link.command(&command).await.map(drop)
    }

    /// Leaves to recovery what was handed over to holders without a lease, going through the lists a part at a time.
    /// Returns how many jobs.
    pub async fn sweep_handoffs(&self) -> Result<usize, StoreError> {
        let (mut found, mut cursor) = (0, "0".to_owned());
        loop {
            let mut call = Call::keys([
                self.names.handoffs(),
                self.names.leases(),
                self.names.orphans(),
            ]);
            call.arg(self.names.handoff_prefix())
                .arg(self.names.inflight(""))
                .arg(&cursor)
                .arg(MEMORY);
            let mut parts = reply::array(self.link.script(&SWEEP, &call).await?)?.into_iter();
            let mut next = || parts.next().unwrap_or(Value::Nil);
            found += reply::integer(&next())?.unsigned_abs();
            cursor = reply::text(next())?;
            if cursor == "0" {
                return usize::try_from(found).map_err(|_| StoreError::unexpected(found));
            }
        }
    }
}

impl Handoff {
    /// Asks whether to wait.
    pub async fn may_wait(&self, holder: &str) -> Result<MayWait, StoreError> {
        let names = &self.store.names;
        let mut call = Call::keys([
            names.leases(),
            names.handoffs(),
            names.handoff(holder, &self.queue.key),
            (*self.store.paused).clone(),
            names.suspects(),
            names.trials(),
        ]);
        call.arg(holder)
            .arg(&self.queue.paused_as)
            .arg(self.member(holder));
        let mut parts = reply::array(self.store.link.script(&MAY_WAIT, &call).await?)?.into_iter();
        match (
            parts.next().map(|it| reply::integer(&it)).transpose()?,
            parts.next(),
        ) {
            (Some(0), None) => Ok(MayWait::Refused),
            (Some(1), None) => Ok(MayWait::Free),
            (Some(2), Some(payload)) => Ok(MayWait::Stranded(reply::bytes(payload)?)),
            other => Err(StoreError::unexpected(other)),
        }
    }

    /// Nothing more can arrive: no command of this place is under way, and none was cut off. To be called when the last
    /// of them has been answered.
    pub async fn leave(&self, holder: &str) -> Result<(), StoreError> {
        let names = &self.store.names;
        let mut call = Call::keys([names.handoffs(), names.handoff(holder, &self.queue.key)]);
        call.arg(self.member(holder));
        self.store.link.script(&LEAVE, &call).await.map(drop)
    }

    /// The member that represents its list in the handoffs.
    fn member(&self, holder: &str) -> String {
        format!("{holder}\n{}", self.queue.key)
    }

    /// Makes the connection for [`Self::wait`], unless there is one. [`StoreError::Denied`] when this user may not end
    /// a client's wait: then no wait should begin.
    pub async fn connect(&mut self) -> Result<ClientId, StoreError> {
        if let Some(line) = &self.line {
            return Ok(line.client);
        }
        let line = connect::blocking(self.store.link.settings(), LONGEST_WAIT).await?;
        let client = ClientId(line.client);
        match self.store.unblock(client).await {
            Err(StoreError::Refused(why)) if why.starts_with("NOPERM") => {
                Err(StoreError::Denied(why))
            }
            other => other,
        }?;
        self.line = Some(Line {
            connection: line.connection,
            client,
            peek: line.peek,
        });
        Ok(client)
    }

    /// The peek of the present connection: for a thread that is quicker than [`Self::wait`], which returns what was
    /// taken all the same. `None` with TLS.
    pub fn peek(&self) -> Option<&Arc<ReplyPeek>> {
        self.line.as_ref()?.peek.as_ref()
    }

    /// Waits for a job on the present connection, 30 s at most. After an error the connection is gone, and a job may
    /// still arrive: [`Self::may_wait`] finds it.
    pub async fn wait(&mut self, holder: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(mut line) = self.line.take() else {
            return Err(StoreError::unavailable("there is no connection to wait on"));
        };
        let mut command = redis::cmd("BLMOVE");
        command
            .arg(&self.queue.key)
            .arg(self.store.names.handoff(holder, &self.queue.key))
            .arg(self.queue.pop.word())
            .arg("LEFT")
            .arg(LONGEST_WAIT.as_secs());
        if let Some(peek) = &line.peek {
            peek.arm();
        }
        let reply = connect::run(&mut line.connection, &command).await?;
        self.line = Some(line);
        match reply {
            Value::Nil => Ok(None),
            payload => reply::bytes(payload).map(Some),
        }
    }
}
