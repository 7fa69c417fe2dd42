//! Opens a socket to a server, from which other threads may take a reply before the connection reads it (`reply_peek`).

use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::io::tcp::socket2::{SockRef, TcpKeepalive};
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, RedisError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use super::reply_peek::{Peeked, ReplyPeek};

/// A connection, and the means for other threads to take a reply from it.
pub(super) type Opened = (MultiplexedConnection, Option<Arc<ReplyPeek>>);

/// With a peek if there is a `limit` for it, unless TLS hides the replies.
pub(super) async fn open(
    info: ConnectionInfo,
    config: &AsyncConnectionConfig,
    limit: Option<Duration>,
) -> Result<Opened, RedisError> {
    match limit {
        Some(limit) => tokio::time::timeout(limit, open_peeked(info, config))
            .await
            .unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into())),
        None => open_plain(info, config).await,
    }
}

async fn open_plain(
    info: ConnectionInfo,
    config: &AsyncConnectionConfig,
) -> Result<Opened, RedisError> {
    let client = Client::open(info)?;
    let connection = client.get_multiplexed_async_connection_with_config(config);
    Ok((connection.await?, None))
}

async fn open_peeked(
    info: ConnectionInfo,
    config: &AsyncConnectionConfig,
) -> Result<Opened, RedisError> {
    match info.addr() {
        ConnectionAddr::Tcp(host, port) => {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            stream.set_nodelay(true)?;
            SockRef::from(&stream).set_tcp_keepalive(&keepalive())?;
            introduce(&info, config, stream).await
        }
        ConnectionAddr::Unix(path) => {
            introduce(&info, config, UnixStream::connect(path).await?).await
        }
        _ => open_plain(info, config).await,
    }
}

async fn introduce<S>(
    info: &ConnectionInfo,
    config: &AsyncConnectionConfig,
    stream: S,
) -> Result<Opened, RedisError>
where
    S: AsFd + AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let peek = ReplyPeek::new(stream.as_fd().try_clone_to_owned()?);
    let stream = Peeked {
        stream,
        peek: Arc::clone(&peek),
    };
    let (connection, driver) =
        MultiplexedConnection::new_with_config(info.redis_settings(), stream, config.clone())
            .await?;
    // Ends with the last handle to the connection.
    tokio::spawn(driver);
    Ok((connection, Some(peek)))
}

/// Sets the TCP options of connections whose socket redis-rs opens.
pub(super) fn prepare(info: ConnectionInfo) -> ConnectionInfo {
    info.set_tcp_settings(
        TcpSettings::default()
            .set_nodelay(true)
            .set_keepalive(keepalive()),
    )
}

fn keepalive() -> TcpKeepalive {
    TcpKeepalive::new()
        .with_time(Duration::from_secs(15))
        .with_interval(Duration::from_secs(5))
        .with_retries(3)
}
