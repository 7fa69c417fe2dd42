//! How a connection introduces itself: with which protocol, and as which user.

use std::time::Duration;

use redis::{
    AsyncConnectionConfig, ConnectionInfo, ErrorKind, ProtocolVersion, RedisConnectionInfo,
    RedisError,
};

use super::address::{DEFAULT_USER, RedisSettings};
use super::socket::{Opened, open};

/// A connection that has introduced itself.
pub(super) struct LoggedIn {
    pub(super) opened: Opened,
    pub(super) resp3: bool,
    /// The user.
    pub(super) user: String,
}

/// What differs between the protocols, and how long to wait for a connection with a peek.
pub(super) struct Manner<'a> {
    pub(super) resp3: &'a AsyncConnectionConfig,
    pub(super) resp2: &'a AsyncConnectionConfig,
    pub(super) limit: Option<Duration>,
}

/// Opens a connection to `info`.
pub(super) async fn log_in(
    settings: &RedisSettings,
    info: &ConnectionInfo,
    manner: &Manner<'_>,
) -> Result<LoggedIn, RedisError> {
    let (opened, user) = match in_either_protocol(info, manner).await {
        Err(error) if settings.password_alone && is_wrong_password(&error) => {
            let opened = in_either_protocol(&without_user(settings, info), manner).await;
            // The first answer is the one about what was configured.
            (opened.map_err(|_| error), DEFAULT_USER.to_owned())
        }
        other => (other, settings.user_name()),
    };
    opened.map(|(opened, resp3)| LoggedIn {
        opened,
        resp3,
        user,
    })
}

async fn in_either_protocol(
    info: &ConnectionInfo,
    manner: &Manner<'_>,
) -> Result<(Opened, bool), RedisError> {
    let resp3 = with_protocol(info, ProtocolVersion::RESP3);
    match open(resp3, manner.resp3, manner.limit).await {
        // A proxy that does not know HELLO: everything but invalidation messages works without it.
        Err(error) if speaks_only_resp2(&error) => {
            let resp2 = with_protocol(info, ProtocolVersion::RESP2);
            Ok((open(resp2, manner.resp2, manner.limit).await?, false))
        }
        other => Ok((other?, true)),
    }
}

pub(super) fn with_protocol(info: &ConnectionInfo, protocol: ProtocolVersion) -> ConnectionInfo {
    let user = info
        .redis_settings()
        .clone()
        .set_protocol(protocol)
        .set_skip_set_lib_name();
    info.clone().set_redis_settings(user)
}

/// The server then takes the password for that of the user `default`.
fn without_user(settings: &RedisSettings, info: &ConnectionInfo) -> ConnectionInfo {
    let mut user = RedisConnectionInfo::default().set_db(settings.db);
    if let Some(password) = &settings.password {
        user = user.set_password(&password.0);
    }
    info.clone().set_redis_settings(user)
}

fn is_wrong_password(error: &RedisError) -> bool {
    error.kind() == ErrorKind::AuthenticationFailed || error.code() == Some("WRONGPASS")
}

fn speaks_only_resp2(error: &RedisError) -> bool {
    // redis-rs recognises this message only with the quotes of Redis 6.
    let unknown = error
        .detail()
        .is_some_and(|detail| detail.contains("unknown command"));
    unknown
        || error.kind() == ErrorKind::RESP3NotSupported
        || matches!(error.code(), Some("NOPROTO" | "NOPERM"))
}
