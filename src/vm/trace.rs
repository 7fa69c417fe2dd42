//! Where the engine's own log lines go: to the application's logger, by way of the control thread;
//! to standard error before there is an engine.

use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::engine::{Control, Shared};

static LISTENER: OnceLock<Mutex<Weak<Shared>>> = OnceLock::new();

/// From now on, sends the lines to the control thread by way of `shared`.
pub(super) fn listen(shared: &Arc<Shared>) {
    let listener = LISTENER.get_or_init(Mutex::default);
    *listener.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(shared);
    // An error means that an earlier engine of this process has set it; only the listener above changes then.
    drop(tracing::subscriber::set_global_default(ToLogger));
}

/// Passes on text, level and nothing else: the engine uses no spans and no fields.
struct ToLogger;

impl Subscriber for ToLogger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("footplate") && *metadata.level() <= Level::DEBUG
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        let text = visible(&text.0);
        let level = match *event.metadata().level() {
            Level::ERROR => "error",
            Level::WARN => "warn",
            Level::INFO => "info",
            _ => "debug",
        };
        let shared = LISTENER
            .get()
            .and_then(|it| it.lock().unwrap_or_else(PoisonError::into_inner).upgrade());
        match shared {
            Some(shared) => shared.control.send(Control::Log {
                level,
                message: text,
            }),
            // Not `eprintln!`, which panics when standard error is closed.
            None => writeln!(std::io::stderr(), "{level}: {text}").unwrap_or_default(),
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// What is quoted in a message, from Redis or a payload, must not begin a line of its own.
fn visible(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for it in text.chars() {
        if it.is_control() || matches!(it, '\u{2028}' | '\u{2029}') {
            line.extend(it.escape_default());
        } else {
            line.push(it);
        }
    }
    line
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            // Writing to a String cannot fail.
            self.0
                .write_fmt(format_args!("{value:?}"))
                .unwrap_or_default();
        }
    }
}
