//! A connection on which one reply is awaited, which a thread other than the engine's may also take: that thread peeks
//! into the socket without consuming anything, and the connection reads the same bytes later, as if nobody had.
//!
//! A lock decides between the two. The thread that holds it while the reply is in the socket, complete and untouched,
//! has the reply.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use rustix::net::{RecvFlags, Shutdown, recv, shutdown};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The longest reply that is taken here; with a longer one the time saved does not matter.
const MOST_BYTES: usize = 16 << 10;

/// Access to the socket of such a connection.
#[derive(Debug)]
pub struct ReplyPeek {
    socket: OwnedFd,
    /// Whether a reply is awaited, and neither taken nor read: what is in the socket is its beginning.
    awaited: Mutex<bool>,
}

impl ReplyPeek {
    pub(super) fn new(socket: OwnedFd) -> Arc<Self> {
        Arc::new(Self {
            socket,
            awaited: Mutex::new(false),
        })
    }

    /// Becomes readable when the reply arrives.
    pub fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Call before sending the command whose reply is to be taken.
    pub(super) fn arm(&self) {
        *self.awaited() = true;
    }

    /// The reply, if it is complete and a string.
    pub fn take(&self) -> Option<Vec<u8>> {
        let mut awaited = self.awaited();
        if !*awaited {
            return None;
        }
        let mut buffer = [0; MOST_BYTES];
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        let (length, _) = recv(&self.socket, &mut buffer[..], flags).ok()?;
        let string = bulk_string(&buffer[..length])?.to_vec();
        *awaited = false;
        Some(string)
    }

    /// Closes the connection at once, whoever still holds its socket.
    pub(super) fn close(&self) {
        // It may be closed already.
        let _ = shutdown(&self.socket, Shutdown::Both);
    }

    fn awaited(&self) -> MutexGuard<'_, bool> {
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `$5\r\nhello\r\n` and nothing else.
fn bulk_string(reply: &[u8]) -> Option<&[u8]> {
    let rest = reply.strip_prefix(b"$")?;
    let end = rest.iter().position(|byte| *byte == b'\r')?;
    let length: usize = std::str::from_utf8(&rest[..end]).ok()?.parse().ok()?;
    let string = rest[end..].strip_prefix(b"\r\n")?.strip_suffix(b"\r\n")?;
    (string.len() == length).then_some(string)
}

/// The stream that the connection reads.
pub(super) struct Peeked<S> {
    pub(super) stream: S,
    pub(super) peek: Arc<ReplyPeek>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Peeked<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let mut awaited = this.peek.awaited();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        *awaited &= buffer.filled().len() == before;
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Peeked<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_string_is_taken() {
        let all: [(&[u8], Option<&[u8]>); 10] = [
            (b"$5\r\nhello\r\n", Some(b"hello")),
            (b"$0\r\n\r\n", Some(b"")),
            (b"$4\r\n\r\n\r\n\r\n", Some(b"\r\n\r\n")),
            (b"$5\r\nhel", None),
            (b"$5\r\nhello\r\n$1\r\nx\r\n", None),
            (b"$-1\r\n", None),
            (b"_\r\n", None),
            (b"-UNBLOCKED\r\n", None),
            (b"$99999999999999999999\r\n\r\n", None),
            (b"", None),
        ];
        for (reply, string) in all {
            assert_eq!(
                bulk_string(reply),
                string,
                "{}",
                String::from_utf8_lossy(reply)
            );
        }
    }
}
