//! The lines of Sidekiq's own log formatters, byte for byte (logger.rb and job_logger.rb of 6.4.1,
//! 7.3.2 and 8.1.7).

use serde_json::value::RawValue;

use super::SidekiqVersion;
use crate::job::{Retry, json_string, ruby_float, unescape};

/// Which formatter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// The default. Coloured from 8 on, even if it goes to no terminal.
    Pretty,
    /// The same without colours (8.0.7; before, `Pretty` has none).
    Plain,
    /// `Pretty` without the time: the default where `DYNO` is set.
    WithoutTimestamp,
    /// One JSON object in each line.
    Json,
}

/// How severe it is, with Ruby's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// 0
    Debug,
    /// 1
    Info,
    /// 2
    Warn,
    /// 3
    Error,
    /// 4
    Fatal,
    /// 5
    Unknown,
}

impl Level {
    const fn name(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
            Self::Fatal => "FATAL",
            Self::Unknown => "ANY",
        }
    }

    const fn coloured(self) -> &'static str {
        match self {
            Self::Debug => "\x1b[1;32mDEBUG\x1b[0m",
            Self::Info => "\x1b[1;34mINFO \x1b[0m",
            Self::Warn => "\x1b[1;33mWARN \x1b[0m",
            Self::Error => "\x1b[1;31mERROR\x1b[0m",
            Self::Fatal => "\x1b[1;35mFATAL\x1b[0m",
            // Sidekiq has no colour for this level, and so prints nothing.
            Self::Unknown => "",
        }
    }
}

/// The job that a line is about. Without a class and a jid there is none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'a> {
    /// `jid`; a job without one is shown with an empty one.
    pub jid: Option<&'a str>,
    /// `wrapped` or `class`; before 8, `display_class` first.
    pub class: Option<&'a str>,
    /// `bid` as JSON, if the payload has the field.
    pub bid: Option<&'a [u8]>,
    /// `tags` as JSON, if the payload has the field.
    pub tags: Option<&'a [u8]>,
    /// Seconds that the job took; shown to the millisecond.
    pub elapsed: Option<f64>,
}

impl Context<'_> {
    fn is_empty(&self) -> bool {
        self.jid.is_none() && self.class.is_none()
    }
}

/// Which process and thread write, and in which form.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// The version whose rules apply.
    pub version: SidekiqVersion,
    /// See [`Style`].
    pub style: Style,
    /// Process id.
    pub pid: &'a str,
    /// See [`super::tid`].
    pub tid: &'a str,
}

impl Line<'_> {
    /// Appends one line with its line feed to `out`. `time` comes from [`super::Utc::iso8601`]. A `bid` or a tag
    /// that is a JSON object is shown as JSON, not as Ruby would inspect it.
    pub fn format(
        &self,
        out: &mut Vec<u8>,
        level: Level,
        context: &Context<'_>,
        message: &str,
        time: &str,
    ) {
        if self.style == Style::Json {
            self.json(out, level, context, message, time);
            return;
        }
        if self.version.logs_level_first() {
            let name = if self.style == Style::Plain {
                level.name()
            } else {
                level.coloured()
            };
            put(out, [name, " "]);
        }
        if self.style != Style::WithoutTimestamp {
            put(out, [time, " "]);
        }
        put(out, ["pid=", self.pid, " tid=", self.tid]);
        self.context(out, context);
        if !self.version.logs_level_first() {
            put(out, [" ", level.name()]);
        }
        put(out, [": ", message, "\n"]);
    }

    /// The names in the order in which the version adds them to its hash.
    fn jid_and_class<'c>(&self, context: &Context<'c>) -> [(&'static str, Option<&'c str>); 2] {
        let (jid, class) = (("jid", context.jid), ("class", context.class));
        if self.version.logs_level_first() {
            [jid, class]
        } else {
            [class, jid]
        }
    }

    fn context(&self, out: &mut Vec<u8>, context: &Context<'_>) {
        if context.is_empty() {
            return;
        }
        // Before 8, nil values are left out.
        let keeps_nil = self.version.logs_level_first();
        for (name, value) in self.jid_and_class(context) {
            if value.is_some() || keeps_nil {
                put(out, [" ", name, "=", value.unwrap_or_default()]);
            }
        }
        for (name, value) in [("bid", context.bid), ("tags", context.tags)] {
            if let Some(json) = value.filter(|json| keeps_nil || *json != b"null") {
                put(out, [" ", name, "="]);
                ruby_text(out, json);
            }
        }
        if let Some(elapsed) = context.elapsed {
            put(out, [" elapsed=", &seconds(elapsed)]);
        }
    }

    fn json(
        &self,
        out: &mut Vec<u8>,
        level: Level,
        context: &Context<'_>,
        message: &str,
        time: &str,
    ) {
        put(
            out,
            ["{\"ts\":\"", time, "\",\"pid\":", self.pid, ",\"tid\":"],
        );
        json_string(out, self.tid);
        put(out, [",\"lvl\":\"", level.name(), "\",\"msg\":"]);
        json_string(out, message);
        if !context.is_empty() {
            out.extend_from_slice(b",\"ctx\":{");
            for (at, (name, value)) in self.jid_and_class(context).into_iter().enumerate() {
                put(out, [if at == 0 { "\"" } else { ",\"" }, name, "\":"]);
                match value {
                    Some(text) => json_string(out, text),
                    None => out.extend_from_slice(b"null"),
                }
            }
            for (name, value) in [("bid", context.bid), ("tags", context.tags)] {
                if let Some(json) = value {
                    put(out, [",\"", name, "\":"]);
                    compact(out, json);
                }
            }
            if let Some(elapsed) = context.elapsed {
                put(out, [",\"elapsed\":", &seconds(elapsed)]);
            }
            out.push(b'}');
        }
        out.extend_from_slice(b"}\n");
    }
}

fn put<const PARTS: usize>(out: &mut Vec<u8>, parts: [&str; PARTS]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

/// Ruby's `elapsed.round(3)`.
fn seconds(elapsed: f64) -> String {
    ruby_float((elapsed * 1000.0).round() / 1000.0)
}

/// A JSON value as Ruby's `to_s` shows it, an array as its items joined by commas.
fn ruby_text(out: &mut Vec<u8>, json: &[u8]) {
    match json {
        b"null" => {}
        [b'"', inside @ .., b'"'] => {
            out.extend_from_slice(String::from_utf8_lossy(&unescape(inside)).as_bytes());
        }
        [b'[', ..] => match serde_json::from_slice::<Vec<&RawValue>>(json) {
            Ok(items) => {
                for (at, item) in items.into_iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    ruby_text(out, item.get().as_bytes());
                }
            }
            Err(_) => compact(out, json),
        },
        [b'-' | b'0'..=b'9', ..] if Retry::from_json(json) == Retry::Other => {
            let number = std::str::from_utf8(json)
                .ok()
                .and_then(|text| text.parse().ok());
            out.extend_from_slice(number.map_or_else(String::new, ruby_float).as_bytes());
        }
        _ => compact(out, json),
    }
}

/// JSON without the white space between its parts, which may contain line feeds.
fn compact(out: &mut Vec<u8>, json: &[u8]) {
    let mut in_string = false;
    let mut escaped = false;
    for &byte in String::from_utf8_lossy(json).as_bytes() {
        if !in_string && matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            continue;
        }
        if byte == b'"' && !escaped {
            in_string = !in_string;
        }
        escaped = byte == b'\\' && !escaped;
        out.push(byte);
    }
}

#[cfg(test)]
#[path = "logline_tests.rs"]
mod tests;
