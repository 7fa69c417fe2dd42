//! Starting up: from settings to a server on which jobs can be run, or the reason why not. `check` makes the same
//! checks as a start, so the two cannot disagree; it registers nothing and claims nothing.

use std::time::Instant;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::engine::heartbeat;
use crate::engine::settings::Settings;
use crate::engine::state::Shared;
use crate::engine::unserved::{self, Unserved};
use crate::store::address::RedisSettings;
use crate::store::{Store, StoreError, Touched};

/// Why an engine did not start. Nothing is retried.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Redis refused, or did not answer.
    #[error("Cannot work with Redis at {address}: {}", advice(.error))]
    Redis {
        /// The server's address, without user and password.
        address: String,
        /// What happened.
        error: StoreError,
    },
    /// The system refused a thread or a timer.
    #[error("cannot start the engine's thread: {0}")]
    System(#[from] std::io::Error),
    /// The engine's thread ended before it was ready.
    #[error("the engine ended while it started; the log tells why")]
    Ended,
}

/// What happened, and what to do about it before the next start.
fn advice(error: &StoreError) -> String {
    match error {
        StoreError::Unavailable(why) if why.contains("CaUsedAsEndEntity") => {
            "its certificate is an authority's (CA:TRUE), which cannot be a server's as well; give it one of its own \
             that the authority has signed"
                .to_owned()
        }
        StoreError::Unavailable(why) if why.contains("certificate") => {
            format!("{why}; check its certificate, and the ssl_params of the connection")
        }
        StoreError::Unavailable(why) => format!("{why}; is it running, and is the address right?"),
        StoreError::Refused(why)
            if why.starts_with("READONLY") || why.starts_with("MASTERDOWN") =>
        {
            "it is a replica, which takes no writes; connect to the primary, or through Sentinel"
                .to_owned()
        }
        StoreError::Refused(why) => {
            format!("it takes no writes now ({why}); start again when it does")
        }
        other => other.to_string(),
    }
}

fn about(redis: &RedisSettings) -> impl Fn(StoreError) -> StartError {
    let address = redis.to_string();
    move |error| StartError::Redis {
        address: address.clone(),
        error,
    }
}

/// Whether an engine with these settings could start here and now, and which queues no process would serve. Blocks.
///
/// # Errors
/// What the start itself would fail with.
pub fn check(settings: &Settings) -> Result<Option<Unserved>, StartError> {
    runtime()?.block_on(async {
        let opened = open(settings).await;
        let (store, _touched) = opened.map_err(about(&settings.redis))?;
        // Not knowing this must not prevent a start.
        Ok(unserved::find(settings, &store).await.unwrap_or_default())
    })
}

/// A runtime for one thread.
pub(super) fn runtime() -> std::io::Result<Runtime> {
    Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
}

/// Connects, takes a lease and writes the first heartbeat.
pub(super) async fn start(
    shared: &Shared,
) -> Result<(Store, UnboundedReceiver<Touched>), StartError> {
    join(shared).await.map_err(about(&shared.settings.redis))
}

async fn join(shared: &Shared) -> Result<(Store, UnboundedReceiver<Touched>), StoreError> {
    let settings = &shared.settings;
    let (store, touched) = open(settings).await?;
    for dialect in &settings.dialects {
        let presence = dialect.presence(&settings.process.identity);
        store.watch(presence.signals).await?;
    }
    let asked = Instant::now();
    store
        .take_lease(&shared.tenure.holder(shared.tenure.epoch()), settings.lease)
        .await?;
    shared.tenure.holds_until(asked + settings.lease);
    heartbeat::beat(shared, &store, 0).await?;
    Ok((store, touched))
}

async fn open(settings: &Settings) -> Result<(Store, UnboundedReceiver<Touched>), StoreError> {
    let (store, touched) = Store::open(&settings.redis, settings.layout()).await?;
    store.check_rights(&samples(settings)).await?;
    Ok((store, touched))
}

/// One key of every kind that this process uses.
fn samples(settings: &Settings) -> Vec<String> {
    let identity = &settings.process.identity;
    let specs = settings.capsules.iter().flat_map(|it| &it.queues);
    let mut samples: Vec<String> = specs.map(|it| it.queue.key.clone()).collect();
    for dialect in &settings.dialects {
        samples.extend(dialect.samples(identity));
    }
    samples.extend(settings.names.samples(identity));
    samples
}
