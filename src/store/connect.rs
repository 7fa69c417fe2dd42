//! Makes a connection: finds the master, introduces itself, and finds out what the server can do.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, ProtocolVersion, PushInfo, RedisError, Value, cmd};

use super::address::{RedisSettings, SettingsError};
use super::error::classify;
use super::login::{LoggedIn, Manner, log_in, with_protocol};
use super::reply_peek::ReplyPeek;
use super::socket::{open, prepare};
use super::{StoreError, reply};

/// The make of the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flavour {
    /// Redis.
    #[default]
    Redis,
    /// Valkey.
    Valkey,
    /// Another that speaks the protocol.
    Other,
}

/// What the server reported about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerFacts {
    /// Major, minor and patch version of Redis, or of the Redis that Valkey claims to be compatible with; `None` when
    /// the server does not report it.
    pub version: Option<(u16, u16, u16)>,
    /// The make of the server.
    pub flavour: Flavour,
    /// Jobs need `noeviction`; `None` when the server does not report it.
    pub maxmemory_policy: Option<String>,
    /// Whether the server pushes a message when a key is touched. If not: poll.
    pub tracking: bool,
}

pub(super) type Push = Box<dyn Fn(PushInfo) -> Result<(), ()> + Send + Sync>;

fn config(settings: &RedisSettings) -> AsyncConnectionConfig {
    // Both explicit: redis-rs gives up on a reply after 500 ms by default.
    AsyncConnectionConfig::new()
        .set_connection_timeout(Some(settings.connect_timeout()))
        .set_response_timeout(Some(settings.response_timeout()))
}

/// The result of [`listening`].
pub(super) struct Listening {
    pub(super) connection: MultiplexedConnection,
    /// Whether the server can push messages.
    pub(super) resp3: bool,
    /// The user that the server knows it as.
    pub(super) user: String,
}

/// A connection on which the server can push messages, if it supports that.
pub(super) async fn listening(
    settings: &RedisSettings,
    push: Push,
) -> Result<Listening, StoreError> {
    let config = config(settings);
    let modern = config.clone().set_push_sender(push);
    let LoggedIn {
        opened: (connection, _),
        resp3,
        user,
    } = connect(settings, &modern, &config, false).await?;
    Ok(Listening {
        connection,
        resp3,
        user,
    })
}

/// The result of [`blocking`].
pub(super) struct Blocking {
    pub(super) connection: MultiplexedConnection,
    /// The server's id for the connection.
    pub(super) client: i64,
    /// Lets other threads take a reply; there is none with TLS.
    pub(super) peek: Option<Arc<ReplyPeek>>,
}

/// A connection for commands that block for up to `patience`.
pub(super) async fn blocking(
    settings: &RedisSettings,
    patience: Duration,
) -> Result<Blocking, StoreError> {
    let longest = patience + settings.response_timeout();
    let config = config(settings).set_response_timeout(Some(longest));
    let (mut connection, peek) = connect(settings, &config, &config, true).await?.opened;
    let id = run(&mut connection, cmd("CLIENT").arg("ID")).await?;
    Ok(Blocking {
        connection,
        client: reply::integer(&id)?,
        peek,
    })
}

/// Connects to the server, or to the master that the sentinels name.
async fn connect(
    settings: &RedisSettings,
    modern: &AsyncConnectionConfig,
    old: &AsyncConnectionConfig,
    tapped: bool,
) -> Result<LoggedIn, StoreError> {
    let master = match settings.master() {
        Some(name) => Some(find_master(settings, name).await?),
        None => None,
    };
    let info = prepare(settings.server(master.clone())?);
    let manner = Manner {
        resp3: modern,
        resp2: old,
        limit: tapped.then(|| settings.connect_timeout()),
    };
    let logged_in = log_in(settings, &info, &manner).await;
    let mut logged_in = logged_in.map_err(denied)?;
    let connection = &mut logged_in.opened.0;
    let mut name = cmd("CLIENT");
    name.arg("SETNAME").arg(settings.client_name());
    // If an ACL refuses it, the connection has no name.
    unless_temporary(run(connection, &name).await)?;
    if master.is_some() {
        check_role(connection).await?;
    }
    Ok(logged_in)
}

/// The errors of a server that will answer later, in reply to a client that selects a database: redis-rs drops the
/// code.
const NOT_NOW: [&str; 3] = ["is busy running", "is loading", "Link with MASTER"];

/// While connecting, an error that is not about the network is about access.
pub(super) fn denied(error: RedisError) -> StoreError {
    if error.to_string().contains("switch database") {
        if NOT_NOW.iter().any(|it| error.to_string().contains(it)) {
            return StoreError::Refused(error.to_string());
        }
        let problem = error
            .detail()
            .unwrap_or("there is no such database")
            .to_owned();
        return StoreError::Settings(SettingsError {
            field: "db".to_owned(),
            problem,
        });
    }
    match classify(&error).0 {
        StoreError::Refused(text) if text.starts_with("NOPERM") => StoreError::Denied(text),
        StoreError::Unexpected(text) => StoreError::Denied(text),
        other => other,
    }
}

pub(super) async fn run(
    connection: &mut MultiplexedConnection,
    command: &Cmd,
) -> Result<Value, StoreError> {
    connection
        .send_packed_command(command)
        .await
        .and_then(Value::extract_error)
        .map_err(denied)
}

/// Asks the sentinels in turn; the first one that knows the master is believed.
async fn find_master(settings: &RedisSettings, name: &str) -> Result<(String, u16), StoreError> {
    let config = config(settings);
    let mut trouble = String::from("no sentinel is configured");
    for sentinel in &settings.sentinels {
        let place = format!("{}:{}", sentinel.host, sentinel.port);
        let info = with_protocol(
            &prepare(settings.sentinel(sentinel)?),
            ProtocolVersion::RESP2,
        );
        let asked = async {
            let (mut connection, _) = open(info, &config, None).await.map_err(denied)?;
            let mut question = cmd("SENTINEL");
            question.arg("get-master-addr-by-name").arg(name);
            reply::texts(run(&mut connection, &question).await?)
        };
        match asked.await.as_deref() {
            Ok([host, port]) => match port.parse() {
                Ok(port) => return Ok((host.clone(), port)),
                Err(_) => trouble = format!("sentinel {place} names the port {port}"),
            },
            Ok(_) => trouble = format!("sentinel {place} knows no master named {name}"),
            Err(error) => trouble = format!("sentinel {place}: {error}"),
        }
    }
    Err(StoreError::Unavailable(trouble))
}

/// Sentinels may name the old master for a while after it stepped down.
async fn check_role(connection: &mut MultiplexedConnection) -> Result<(), StoreError> {
    match run(connection, &cmd("ROLE")).await {
        Ok(Value::Array(parts)) => match parts.into_iter().next().map(reply::text).transpose()? {
            Some(role) if role == "master" => Ok(()),
            role => Err(StoreError::Unavailable(format!(
                "the sentinels name a server that is a {} now",
                role.unwrap_or_default()
            ))),
        },
        // The user may not ask.
        other => unless_temporary(other).map(drop),
    }
}

/// Reads version and policy. A server that forbids or has renamed INFO is assumed to be recent enough.
pub(super) async fn facts(
    connection: &mut MultiplexedConnection,
) -> Result<ServerFacts, StoreError> {
    let mut info = String::new();
    for section in ["server", "memory"] {
        match run(connection, cmd("INFO").arg(section)).await {
            Ok(Value::BulkString(bytes)) => info.push_str(&String::from_utf8_lossy(&bytes)),
            Ok(Value::VerbatimString { text, .. }) => info.push_str(&text),
            other => drop(unless_temporary(other)?),
        }
    }
    read_facts(&info)
}

/// `None` for what is refused for good. A busy or loading server's error is returned instead: its refusal would
/// otherwise be taken for a lack of the feature, as long as the connection lives.
pub(super) fn unless_temporary<T>(answer: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match answer {
        Err(error @ (StoreError::Unavailable(_) | StoreError::Refused(_))) => Err(error),
        answer => Ok(answer.ok()),
    }
}

fn read_facts(info: &str) -> Result<ServerFacts, StoreError> {
    let field = |name: &str| {
        info.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map(str::trim)
    };
    let flavour = match field("server_name") {
        Some("valkey") => Flavour::Valkey,
        Some("redis") | None if field("dragonfly_version").is_none() => Flavour::Redis,
        _ => Flavour::Other,
    };
    let version = field("redis_version").and_then(parse_version);
    match version {
        Some((major, minor, patch)) if (major, minor) < (6, 2) => Err(StoreError::TooOld {
            flavour: format!("{flavour:?}"),
            found: format!("{major}.{minor}.{patch}"),
        }),
        _ => Ok(ServerFacts {
            version,
            flavour,
            maxmemory_policy: field("maxmemory_policy").map(str::to_owned),
            tracking: false,
        }),
    }
}

fn parse_version(text: &str) -> Option<(u16, u16, u16)> {
    let mut numbers = text.split(['.', '-']).map(|part| part.parse().ok());
    Some((
        numbers.next()??,
        numbers.next()??,
        numbers.next().flatten().unwrap_or(0),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_told_apart() {
        let redis =
            read_facts("# Server\r\nredis_version:7.0.15\r\nmaxmemory_policy:noeviction\r\n");
        let redis = redis.expect("recent enough");
        assert_eq!(redis.version, Some((7, 0, 15)));
        assert_eq!(redis.maxmemory_policy.as_deref(), Some("noeviction"));
        let valkey = "redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.0.1\r\n";
        assert_eq!(
            read_facts(valkey).expect("recent enough").flavour,
            Flavour::Valkey
        );
        assert_eq!(read_facts("").expect("silent").version, None);
    }

    #[test]
    fn an_old_server_is_refused_with_both_versions() {
        let error = read_facts("redis_version:6.0.16\r\n").expect_err("too old");
        let text = "Redis 6.0.16 is too old; Footplate needs Redis 6.2 or newer, or Valkey";
        assert_eq!(error.to_string(), text);
    }
}
