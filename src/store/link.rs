//! A connection to the server and, where the caller wants reports of touched keys, the one beside it that receives
//! them:
//! 1. made on demand, by one task while the others wait; how long to wait after a failure is up to the callers;
//! 2. dropped when it is gone, when a reply is late, and when the server is no longer the master;
//! 3. with invalidation messages about keys that others touch, where the server supports them and the caller wants
//!    them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, PushInfo, PushKind, Value};
use tokio::sync::mpsc::UnboundedSender;

use super::StoreError;
use super::address::RedisSettings;
use super::connect::{self, Listening, ServerFacts};
use super::ear::{Ear, Touched, invalidated};
use super::error::{Aftermath, classify};
use super::script::{Call, Lua};

/// The present connection.
#[derive(Clone)]
struct Live {
    connection: MultiplexedConnection,
    connection_id: u64,
    since: Instant,
    /// Dropped together with the connection, and vice versa.
    ear: Option<Ear>,
}

#[derive(Default)]
struct State {
    live: Option<Live>,
    connection_id: u64,
    facts: ServerFacts,
    /// The user whose permissions count.
    user: String,
    /// How many attempts to connect have failed, and why the last one did.
    failures: u64,
    failure: Option<StoreError>,
    /// More prefixes to be reported: the lists through which this process receives commands.
    watched: Vec<String>,
}

pub(super) struct Link {
    settings: RedisSettings,
    /// The prefixes of the keys to be reported.
    prefixes: Vec<String>,
    /// `None`: touched keys are not wanted.
    touched: Option<UnboundedSender<Touched>>,
    /// Shared with the connection's own callback, which is the first to learn that it is gone.
    state: Arc<Mutex<State>>,
    connecting: tokio::sync::Mutex<()>,
}

impl Link {
    pub(super) fn new(
        settings: RedisSettings,
        prefixes: Vec<String>,
        touched: Option<UnboundedSender<Touched>>,
    ) -> Self {
        let (state, connecting) = Default::default();
        Self {
            settings,
            prefixes,
            touched,
            state,
            connecting,
        }
    }

    pub(super) async fn open(&self) -> Result<(), StoreError> {
        self.live().await.map(drop)
    }

    /// The user whose permissions count: that of the last connection.
    pub(super) fn user(&self) -> String {
        self.state().user.clone()
    }

    pub(super) fn settings(&self) -> &RedisSettings {
        &self.settings
    }

    pub(super) fn facts(&self) -> ServerFacts {
        self.state().facts.clone()
    }

    pub(super) fn connection_id(&self) -> u64 {
        self.state().connection_id
    }

    pub(super) fn connected_since(&self) -> Option<Instant> {
        self.state().live.as_ref().map(|live| live.since)
    }

    /// Whether the server reports touched keys.
    pub(super) fn is_told(&self) -> bool {
        self.state().facts.tracking
    }

    /// Asks for the reports again, where the present connection was refused them.
    pub(super) async fn ask_to_be_told(&self) -> Result<(), StoreError> {
        let (ear, connection_id, prefixes) = {
            let state = self.state();
            let ear = state.live.as_ref().and_then(|it| it.ear.clone());
            (ear, state.connection_id, self.prefixes(&state))
        };
        let Some(mut ear) = ear.filter(|_| !self.is_told()) else {
            return Ok(());
        };
        if ear.track(&prefixes).await? {
            let mut state = self.state();
            if state.connection_id == connection_id {
                state.facts.tracking = true;
                // Anything may have happened while nobody listened.
                tell(self.touched.as_ref(), Touched::Everything);
            }
        }
        Ok(())
    }

    fn prefixes(&self, state: &State) -> Vec<String> {
        let all = self.prefixes.iter().chain(&state.watched);
        all.cloned().collect()
    }

    /// Adds `prefix` to the keys to be reported.
    pub(super) async fn watch(&self, prefix: String) -> Result<(), StoreError> {
        let live = self.live().await?;
        {
            let mut state = self.state();
            if !state.watched.contains(&prefix) {
                state.watched.push(prefix.clone());
            }
            if !state.facts.tracking {
                return Ok(());
            }
        }
        match live.ear {
            Some(mut ear) => ear.track(&[prefix]).await.map(drop),
            None => Ok(()),
        }
    }

    pub(super) async fn command(&self, command: &Cmd) -> Result<Value, StoreError> {
        let mut live = self.live().await?;
        let reply = live.connection.send_packed_command(command).await;
        self.judge(&live, reply.and_then(Value::extract_error))
    }

    /// All replies of a pipeline; an error in one of them fails all, unless the pipeline keeps errors.
    pub(super) async fn pipeline(&self, pipeline: &Pipeline) -> Result<Vec<Value>, StoreError> {
        let mut live = self.live().await?;
        let replies = pipeline
            .query_async::<Vec<Value>>(&mut live.connection)
            .await;
        self.judge(&live, replies)
    }

    pub(super) async fn script(&self, script: &Lua, call: &Call) -> Result<Value, StoreError> {
        let mut live = self.live().await?;
        let mut reply = live
            .connection
            .send_packed_command(&script.by_hash(call))
            .await;
        reply = reply.and_then(Value::extract_error);
        if reply
            .as_ref()
            .is_err_and(|error| error.code() == Some("NOSCRIPT"))
        {
            // A new server, or a SCRIPT FLUSH. Nothing has run; sent with its source, the script both runs and stays
            // known.
            reply = live
                .connection
                .send_packed_command(&script.by_source(call))
                .await;
            reply = reply.and_then(Value::extract_error);
        }
        self.judge(&live, reply)
    }

    fn judge<T>(&self, live: &Live, reply: redis::RedisResult<T>) -> Result<T, StoreError> {
        reply.map_err(|error| {
            let (error, aftermath) = classify(&error);
            if aftermath == Aftermath::Drop {
                drop_connection(&self.state, live.connection_id, self.touched.as_ref());
            }
            error
        })
    }

    async fn live(&self) -> Result<Live, StoreError> {
        let failures = {
            let state = self.state();
            if let Some(live) = &state.live {
                return Ok(live.clone());
            }
            state.failures
        };
        let _one_at_a_time = self.connecting.lock().await;
        {
            let state = self.state();
            if let Some(live) = &state.live {
                return Ok(live.clone());
            }
            // The attempt that this call waited for has failed: that answers this call too, or each caller would wait
            // for the attempts of all those before it.
            if let (true, Some(failure)) = (state.failures > failures, &state.failure) {
                return Err(failure.clone());
            }
        }
        let patience = self.settings.connect_timeout() + self.settings.response_timeout();
        let live = tokio::time::timeout(patience, self.connect())
            .await
            .unwrap_or_else(|_| Err(StoreError::unavailable("it did not answer in time")));
        if let Err(failure) = &live {
            let mut state = self.state();
            state.failures += 1;
            state.failure = Some(failure.clone());
        }
        live
    }

    async fn connect(&self) -> Result<Live, StoreError> {
        let connection_id = self.state().connection_id + 1;
        let push = self.listener(connection_id);
        let Listening {
            mut connection,
            resp3,
            user,
        } = connect::listening(&self.settings, push).await?;
        let mut facts = connect::facts(&mut connection).await?;
        let mut ear = None;
        if resp3 && self.touched.is_some() {
            ear = Ear::open(&self.settings, self.listener(connection_id)).await?;
        }
        if let Some(ear) = &mut ear {
            let prefixes = self.prefixes(&self.state());
            facts.tracking = ear.track(&prefixes).await?;
        }
        let live = Live {
            connection,
            connection_id,
            since: Instant::now(),
            ear,
        };
        {
            let mut state = self.state();
            state.facts = facts;
            state.user = user;
            state.connection_id = connection_id;
            state.live = Some(live.clone());
        }
        // Anything may have happened while nobody listened.
        tell(self.touched.as_ref(), Touched::Everything);
        Ok(live)
    }

    fn listener(&self, connection_id: u64) -> connect::Push {
        let touched = self.touched.clone();
        // Weak, so that the connection does not keep alive the state that holds it.
        let state: Weak<Mutex<State>> = Arc::downgrade(&self.state);
        Box::new(move |push: PushInfo| {
            match push.kind {
                PushKind::Invalidate => {
                    tell(touched.as_ref(), invalidated(push.data));
                }
                PushKind::Disconnection => {
                    if let Some(state) = state.upgrade() {
                        drop_connection(&state, connection_id, touched.as_ref());
                    }
                }
                _ => {}
            }
            Ok(())
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }
}

/// No code panics while it holds the lock, and the state would be sound even then.
fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The receiver is gone only when the engine is ending.
fn tell(touched: Option<&UnboundedSender<Touched>>, what: Touched) {
    if let Some(touched) = touched {
        let _ = touched.send(what);
    }
}

fn drop_connection(
    state: &Mutex<State>,
    connection_id: u64,
    touched: Option<&UnboundedSender<Touched>>,
) {
    let dropped = {
        let mut state = locked(state);
        // Not a newer connection: several calls may fail on the same one.
        match &state.live {
            Some(live) if live.connection_id == connection_id => state.live.take(),
            _ => None,
        }
    };
    if dropped.is_some() {
        tell(touched, Touched::Lost);
    }
}
