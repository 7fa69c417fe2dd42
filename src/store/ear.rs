//! The connection on which Redis reports touched keys. It is a separate one: while a process is suspended, nothing
//! is read, and Redis keeps its messages for as long as it takes. Redis ends a connection that has a subscription once
//! 32 MB have accumulated, but never the others; and the connections that carry payloads must not be ended for their
//! size.

use redis::aio::MultiplexedConnection;
use redis::{Value, cmd};

use super::StoreError;
use super::address::RedisSettings;
use super::connect::{self, Push, denied, unless_temporary};

/// Nothing is ever published there.
const CHANNEL: &str = "footplate:none";

/// What happened to the keys that matter, by whatever client: the writes of our own scripts are reported as well. A
/// claim that finds nothing touches nothing, so answering each message with a claim comes to an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Touched {
    /// These were written to, in any database.
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
        // It works even without the permission to do this.
        unless_temporary(bounded.map_err(denied))?;
        Ok(Some(Self(connection)))
    }

    /// Asks for reports of touched keys; `false` when the server does not support that, or not for this user.
    ///
    /// Without NOLOOP: Redis 7.0 does not apply it to what scripts write, and where it applies, a write of ours hides
    /// another client's write to the same key in the same iteration of Redis's event loop.
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

/// What an invalidation message means.
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
