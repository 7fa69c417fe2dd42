//! The default logger's lines (`start`, `done`, `fail`), written by us where the application has not
//! replaced that logger. They go to the same descriptor, one `write` a line, so that they keep their
//! place among what jobs log themselves.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, FromRawFd};
use std::time::{SystemTime, UNIX_EPOCH};

use super::gvl::uninterrupted;
use crate::dialect::sidekiq::{Context, Generation, Level, Line, Style};
use crate::job::Job;

/// Where and how to write.
pub(super) struct JobLog {
    out: ManuallyDrop<File>,
    /// A write may have to wait for a reader: a pipe, a terminal, a socket.
    has_reader: bool,
    generation: Generation,
    style: Style,
    pid: u32,
}

/// What happened to the job.
#[derive(Clone, Copy)]
pub(super) enum Moment {
    Start,
    /// After so many seconds.
    Done(f64),
    /// After so many seconds.
    Fail(f64),
}

impl JobLog {
    pub(super) fn new(fd: i32, style: Style, generation: Generation) -> Self {
        // SAFETY: the descriptor belongs to the IO of the application's logger, which outlives the
        // engine; ManuallyDrop leaves it open.
        let out = ManuallyDrop::new(unsafe { File::from_raw_fd(fd) });
        Self {
            has_reader: out.metadata().map_or(true, |it| !it.is_file()),
            out,
            generation,
            style,
            pid: std::process::id(),
        }
    }

    /// Writes a line. A log that cannot be written must not stop a job.
    pub(super) fn line(&self, job: &Job, tid: &str, moment: Moment) {
        let (message, elapsed) = match moment {
            Moment::Start => ("start", None),
            Moment::Done(seconds) => ("done", Some(seconds)),
            Moment::Fail(seconds) => ("fail", Some(seconds)),
        };
        let Some(envelope) = &job.envelope else {
            return;
        };
        let context = Context {
            jid: job.text(envelope.jid.as_ref()),
            class: job.display_class(),
            bid: envelope.bid.as_ref().map(|it| job.span(it)),
            tags: envelope.tags.as_ref().map(|it| job.span(it)),
            elapsed,
        };
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0.0, |it| it.as_secs_f64());
        let mut line = Vec::with_capacity(160);
        let shape = Line {
            generation: self.generation,
            style: self.style,
            pid: self.pid,
            tid,
        };
        shape.format(&mut line, Level::Info, &context, message, now);
        if !self.has_reader || self.is_writable(0) {
            self.write(&line);
        } else {
            // Whoever reads the log is behind. Waiting for it must not stop the other threads; with an
            // interruption pending there is no waiting, and the line is lost.
            uninterrupted(|| self.write(&line));
        }
    }

    fn write(&self, mut line: &[u8]) {
        while !line.is_empty() {
            match (&*self.out).write(line) {
                Ok(0) => return,
                Ok(written) => line = &line[written..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // Somebody made the descriptor non-blocking.
                Err(error) if error.kind() == ErrorKind::WouldBlock && self.is_writable(-1) => {}
                Err(_) => return,
            }
        }
    }

    /// Whether a line can be written without waiting, after up to `timeout` ms (-1: any time).
    fn is_writable(&self, timeout: i32) -> bool {
        let mut poll = libc::pollfd {
            fd: self.out.as_raw_fd(),
            events: libc::POLLOUT,
            revents: 0,
        };
        // SAFETY: one pollfd, which lives through the call.
        let ready = unsafe { libc::poll(&raw mut poll, 1, timeout) };
        // Errors count as writable: the write says what is wrong.
        ready != 0
    }
}
