//! What a process says about itself in the process hash (launcher.rb of 6.4 to 8.1, component.rb). What it runs is in
//! `work`.
//!
//! The info is the superset of what all versions wrote, so that a dashboard of any of them finds
//! its fields: `concurrency` went from the info to a field of the hash in 8.1.2, `weights` and
//! `capsules` came in 7.0 and 8.0.9.

use std::collections::{HashMap, HashSet};

use crate::job::{json_string, ruby_float};

/// How a capsule chooses among its queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// In the order given.
    Strict,
    /// By weight, each time anew.
    Weighted,
    /// All alike, each time anew.
    Random,
}

impl Mode {
    /// Sidekiq's word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Weighted => "weighted",
            Self::Random => "random",
        }
    }
}

/// One capsule of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapsuleFacts {
    /// `default`, or what the application called it.
    pub name: String,
    /// Threads.
    pub concurrency: u32,
    /// See [`Mode`].
    pub mode: Mode,
    /// Queues in order with the weight written beside them, 0 if none. Of a queue that occurs twice
    /// the last weight counts.
    pub weights: Vec<(String, u32)>,
}

/// What is known of a process at its start.
#[derive(Clone, Debug, PartialEq)]
pub struct ProcessFacts {
    /// `DYNO`, or the host's name.
    pub hostname: String,
    /// Epoch seconds; a float in every version.
    pub started_at: f64,
    /// Process id.
    pub pid: u32,
    /// `--tag`, or the name of the application's folder.
    pub tag: String,
    /// Threads of all capsules.
    pub concurrency: u32,
    /// In the order in which they were made.
    pub capsules: Vec<CapsuleFacts>,
    /// `config[:labels]`.
    pub labels: Vec<String>,
    /// See [`identity`].
    pub identity: String,
    /// Of the Sidekiq gem; a dashboard prints it when it differs from its own.
    pub version: String,
    /// Whether Sidekiq is embedded in another program, which then cannot be quieted from a dashboard.
    pub embedded: bool,
}

fn string(out: &mut Vec<u8>, name: &str, value: &str) {
    json_string(out, name);
    out.push(b':');
    json_string(out, value);
}

fn list<T>(
    out: &mut Vec<u8>,
    brackets: [u8; 2],
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, T),
) {
    out.push(brackets[0]);
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(brackets[1]);
}

/// Each name once, at its first place. There may be thousands, and every heartbeat writes them.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    let mut seen = HashSet::new();
    names.filter(move |name| seen.insert(*name))
}

impl CapsuleFacts {
    /// As in the hash that Sidekiq keeps: each name once, at its first place, with its last weight.
    fn weights_json(&self, out: &mut Vec<u8>) {
        let last: HashMap<&str, u32> = self
            .weights
            .iter()
            .map(|(name, it)| (&**name, *it))
            .collect();
        let names = distinct(self.weights.iter().map(|(name, _)| &**name));
        list(out, *b"{}", names, |out, name| {
            json_string(out, name);
            out.extend_from_slice(format!(":{}", last[name]).as_bytes());
        });
    }
}

impl ProcessFacts {
    /// The `info` field of the process hash, as JSON. It does not change while the process lives.
    pub fn info(&self) -> String {
        let mut out = Vec::with_capacity(512);
        out.push(b'{');
        string(&mut out, "hostname", &self.hostname);
        out.extend_from_slice(
            format!(
                ",\"started_at\":{},\"pid\":{},",
                ruby_float(self.started_at),
                self.pid
            )
            .as_bytes(),
        );
        string(&mut out, "tag", &self.tag);
        out.extend_from_slice(
            format!(",\"concurrency\":{},\"capsules\":", self.concurrency).as_bytes(),
        );
        list(&mut out, *b"{}", &self.capsules, |out, capsule| {
            json_string(out, &capsule.name);
            let head = format!(
                ":{{\"concurrency\":{},\"mode\":\"{}\",\"weights\":",
                capsule.concurrency,
                capsule.mode.name()
            );
            out.extend_from_slice(head.as_bytes());
            capsule.weights_json(out);
            out.push(b'}');
        });
        let all = self.capsules.iter().flat_map(|capsule| &capsule.weights);
        let queues = distinct(all.map(|(name, _)| &**name));
        out.extend_from_slice(b",\"queues\":");
        list(&mut out, *b"[]", queues, json_string);
        out.extend_from_slice(b",\"weights\":");
        list(&mut out, *b"[]", &self.capsules, |out, capsule| {
            capsule.weights_json(out);
        });
        out.extend_from_slice(b",\"labels\":");
        list(&mut out, *b"[]", &self.labels, |out, label| {
            json_string(out, label);
        });
        out.push(b',');
        string(&mut out, "identity", &self.identity);
        out.push(b',');
        string(&mut out, "version", &self.version);
        out.extend_from_slice(format!(",\"embedded\":{}}}", self.embedded).as_bytes());
        // Strings and ASCII only.
        String::from_utf8(out).unwrap_or_default()
    }
}

/// What changes from one heartbeat to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Vitals {
    /// Threads of all capsules.
    pub concurrency: u32,
    /// Jobs running.
    pub busy: usize,
    /// Epoch seconds.
    pub at: f64,
    /// The last round trip to Redis, in microseconds.
    pub rtt_us: u64,
    /// Whether it takes no new jobs.
    pub quiet: bool,
    /// Resident memory in kilobytes.
    pub rss: u64,
}

impl Vitals {
    /// The fields of the process hash, in Sidekiq's order; `info` is [`ProcessFacts::info`].
    pub fn fields(&self, info: &str) -> [(&'static str, String); 7] {
        [
            ("info", info.to_owned()),
            ("concurrency", self.concurrency.to_string()),
            ("busy", self.busy.to_string()),
            ("beat", ruby_float(self.at)),
            ("rtt_us", self.rtt_us.to_string()),
            ("quiet", self.quiet.to_string()),
            ("rss", self.rss.to_string()),
        ]
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::*;

    fn facts() -> ProcessFacts {
        let capsule = |name: &str, mode, weights: &[(&str, u32)]| CapsuleFacts {
            name: name.to_owned(),
            concurrency: 5,
            mode,
            weights: weights
                .iter()
                .map(|(name, weight)| ((*name).to_owned(), *weight))
                .collect(),
        };
        ProcessFacts {
            hostname: "host".to_owned(),
            started_at: 1_735_689_600.5,
            pid: 42,
            tag: "app".to_owned(),
            concurrency: 6,
            capsules: vec![
                capsule(
                    "default",
                    Mode::Weighted,
                    &[("high", 2), ("low", 1), ("high", 3)],
                ),
                capsule("single", Mode::Strict, &[("low", 0)]),
            ],
            labels: vec!["a\"b".to_owned()],
            identity: "host:42:00000000abcd".to_owned(),
            version: "8.1.7".to_owned(),
            embedded: false,
        }
    }

    #[test]
    fn the_info_has_the_fields_of_every_version() {
        let info: Value = serde_json::from_str(&facts().info()).unwrap();
        assert_eq!(
            info,
            json!({
                "hostname": "host", "started_at": 1_735_689_600.5, "pid": 42, "tag": "app", "concurrency": 6,
                "capsules": {
                    "default": {"concurrency": 5, "mode": "weighted", "weights": {"high": 3, "low": 1}},
                    "single": {"concurrency": 5, "mode": "strict", "weights": {"low": 0}},
                },
                "queues": ["high", "low"], "weights": [{"high": 3, "low": 1}, {"low": 0}],
                "labels": ["a\"b"], "identity": "host:42:00000000abcd", "version": "8.1.7", "embedded": false,
            })
        );
    }

    #[test]
    fn an_empty_process_is_still_json() {
        let bare = ProcessFacts {
            capsules: Vec::new(),
            labels: Vec::new(),
            ..facts()
        };
        assert!(
            bare.info()
                .contains(r#""capsules":{},"queues":[],"weights":[],"labels":[]"#)
        );
    }

    #[test]
    fn a_beat_is_written_as_text() {
        let beat = Vitals {
            concurrency: 5,
            busy: 2,
            at: 1_735_689_600.0,
            rtt_us: 130,
            quiet: true,
            rss: 70_000,
        };
        let fields = beat.fields("{}");
        let texts: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(
            texts.join(" "),
            "info={} concurrency=5 busy=2 beat=1735689600.0 rtt_us=130 quiet=true rss=70000"
        );
    }
}
