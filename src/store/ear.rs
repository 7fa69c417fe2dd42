//! The connection on which Redis says which keys are touched. One of its own: while a process is suspended nobody reads,
//! and Redis keeps what it has to say for as long as it takes. It ends a connection that subscribes to something once
//! 32 MB have come together, the others never; and those on which payloads travel must not end for their size.

use redis::aio::MultiplexedConnection;
use redis::{Value, cmd};

use super::StoreError;
use super::address::RedisSettings;
use super::connect::{self, Push, denied, unless_temporary};

/// Nothing is ever published there.
const CHANNEL: &str = "footplate:none";

/// What happened to the keys that matter, by whoever's hand: our own scripts are heard as well. A claim that finds
/// nothing touches nothing, so answering each message with a claim ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Touched {
    /// These were written to; in any database.
    Keys(Vec<String>),
    /// Anything may have happened: after each connect, and when a database was flushed.
    Everything,
    /// The connection is gone. The next call makes a new one.
    Lost,
}

#[derive(Clone)]
pub(super) struct Ear(MultiplexedConnection);

impl Ear {
    /// `None` where the server cannot push messages.
    pub(super) async fn open(
        settings: &RedisSettings,
        push: Push,
    ) -> Result<Option<Self>, StoreError> {
        let listening = connect::listening(settings, push).await?;
        if !listening.resp3 {
            return Ok(None);
        }
        let mut connection = listening.connection;
        let bounded = connection.subscribe(CHANNEL).await;
        // Without the right to it, it works all the same.
        unless_temporary(bounded.map_err(denied))?;
        Ok(Some(Self(connection)))
    }

    /// Asks to be told; `false` when the server does not do that, or not for this user.
    ///
    /// Without NOLOOP: Redis 7.0 does not apply it to what scripts write, and where it applies, a write of
    /// ours hides one of another client to the same key in the same turn of Redis's event loop.
    pub(super) async fn track(&mut self, prefixes: &[String]) -> Result<bool, StoreError> {
        let mut tracking = cmd("CLIENT");
        tracking.arg("TRACKING").arg("ON").arg("BCAST");
        for prefix in prefixes {
            tracking.arg("PREFIX").arg(prefix);
        }
        let answer = connect::run(&mut self.0, &tracking).await;
        Ok(unless_temporary(answer)?.is_some())
    }
}

/// What a message says.
pub(super) fn invalidated(data: Vec<Value>) -> Touched {
    let mut keys = Vec::new();
    for value in data {
        match value {
            Value::Array(items) => keys.extend(items.into_iter().filter_map(|item| match item {
                Value::BulkString(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
                _ => None,
            })),
            // The whole database was flushed.
            _ => return Touched::Everything,
        }
    }
    Touched::Keys(keys)
}
