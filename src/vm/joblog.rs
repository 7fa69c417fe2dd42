//! The default logger's lines (`start`, `done`, `fail`), written by the engine if the application has not
//! replaced that logger, and for as long as it stays unchanged. They go to the same descriptor, and before
//! anything else in their thread is logged, so that they keep their place among what jobs log themselves.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, FromRawFd};
use std::sync::Mutex;

use super::gvl::uninterrupted;
use super::logger::Logger;
use crate::dialect::{Context, Level, Line, SidekiqVersion, Style, Utc, millis};
use crate::engine::Clock;
use crate::engine::sync::lock;
use crate::job::Job;

/// Bytes that suffice for most lines.
const LINE: usize = 160;

/// Where and how to write.
pub(super) struct JobLog {
    pub(super) logger: Logger,
    out: ManuallyDrop<File>,
    /// Whether a write may have to wait for a reader: a pipe, a terminal, a socket.
    has_reader: bool,
    version: SidekiqVersion,
    style: Style,
    pid: String,
    stamp: Mutex<Stamp>,
}

/// The current millisecond as text; most lines share it with the previous line.
#[derive(Default)]
struct Stamp {
    millis: i64,
    text: String,
}

impl Stamp {
    fn now(&mut self) -> &str {
        let now = Clock.now();
        let millis = millis(now);
        if millis != self.millis {
            self.millis = millis;
            self.text = Utc::at(now).iso8601();
        }
        &self.text
    }
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

impl Moment {
    /// The line's message.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Done(_) => "done",
            Self::Fail(_) => "fail",
        }
    }

    /// Seconds that the job took, once it has ended.
    pub(super) fn elapsed(self) -> Option<f64> {
        match self {
            Self::Start => None,
            Self::Done(seconds) | Self::Fail(seconds) => Some(seconds),
        }
    }
}

impl JobLog {
    pub(super) fn new(logger: Logger, fd: i32, style: Style, version: SidekiqVersion) -> Self {
        // SAFETY: the descriptor belongs to the IO of the application's logger, which outlives the
        // engine; ManuallyDrop leaves it open.
        let out = ManuallyDrop::new(unsafe { File::from_raw_fd(fd) });
        Self {
            logger,
            has_reader: out.metadata().map_or(true, |it| !it.is_file()),
            out,
            version,
            style,
            pid: std::process::id().to_string(),
            stamp: Mutex::default(),
        }
    }

    /// Writes a line.
    pub(super) fn line(&self, job: &Job, tid: &str, moment: Moment) {
        let mut line = Vec::with_capacity(LINE);
        self.append(&mut line, job, tid, moment);
        self.write(&mut line);
    }

    /// Appends a line to those that are to be written.
    pub(super) fn append(&self, lines: &mut Vec<u8>, job: &Job, tid: &str, moment: Moment) {
        let Some(envelope) = &job.envelope else {
            return;
        };
        let context = Context {
            jid: job.text(envelope.jid.as_ref()),
            class: job.display_class(),
            bid: envelope.bid.as_ref().map(|it| job.span(it)),
            tags: envelope.tags.as_ref().map(|it| job.span(it)),
            elapsed: moment.elapsed(),
        };
        let shape = Line {
            version: self.version,
            style: self.style,
            pid: &self.pid,
            tid,
        };
        let mut stamp = lock(&self.stamp);
        shape.format(lines, Level::Info, &context, moment.word(), stamp.now());
    }

    /// Writes lines, and empties the buffer. A log that cannot be written must not stop a job.
    pub(super) fn write(&self, lines: &mut Vec<u8>) {
        if lines.is_empty() {
            return;
        }
        let at_once = || lines.len() <= libc::PIPE_BUF && self.is_writable(0);
        if !self.has_reader || at_once() {
            self.write_all(lines);
        } else {
            // The reader of the log is behind. Waiting for it must not stop the other threads. With an
            // interruption pending there is no waiting, and the lines are lost.
            uninterrupted(|| self.write_all(lines));
        }
        lines.clear();
    }

    fn write_all(&self, mut lines: &[u8]) {
        while !lines.is_empty() {
            match (&*self.out).write(lines) {
                Ok(0) => return,
                Ok(written) => lines = &lines[written..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // Somebody made the descriptor non-blocking.
                Err(error) if error.kind() == ErrorKind::WouldBlock && self.is_writable(-1) => {}
                Err(_) => return,
            }
        }
    }

    /// Whether a line can be written without waiting; gives it up to `timeout` ms to become so (-1: no limit).
    fn is_writable(&self, timeout: i32) -> bool {
        let mut poll = libc::pollfd {
            fd: self.out.as_raw_fd(),
            events: libc::POLLOUT,
            revents: 0,
        };
        // SAFETY: one pollfd, which outlives the call.
        let ready = unsafe { libc::poll(&raw mut poll, 1, timeout) };
        // Errors count as writable: the write says what is wrong.
        ready != 0
    }
}
