//! What becomes of a job that raised: `job_retry.rb` of Sidekiq 6.4 to 8.1, as a decision without
//! side effects. The caller runs the application's blocks and handlers between its steps.
//!
//! 1. [`Failing::read`] says what must be asked of Ruby (the backtrace, the class option).
//! 2. [`Failing::record`] writes the failure into the payload and decides as far as the payload can.
//! 3. [`Verdict::Ask`]: the caller calls `sidekiq_retry_in`, then stores [`Plan::payload`] in the
//!    retry set at [`Plan::retry_at`], or does as the block's `:kill` or `:discard` says.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::clock::payload_time;
use super::fields::{Number, text, to_i, truthy};
use super::{Jitter, RetryFor, SidekiqVersion};
use crate::job::{Field, PatchError, Retry, json_string, patch, visit};

/// What applies to all jobs of a server.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// The version whose rules apply.
    pub version: SidekiqVersion,
    /// Retries for a job whose `retry` is not a number: `config[:max_retries]`, by default 25.
    pub max_retries: i64,
}

/// The exception, as Ruby describes it.
#[derive(Clone, Copy, Debug)]
pub struct Raised<'a> {
    /// The bytes of `exception.class.name`; an anonymous class has none.
    pub class: Option<&'a [u8]>,
    /// The bytes of `exception.message`, cut to 10,000 characters of its own encoding.
    pub message: &'a [u8],
    /// As much of `exception.backtrace` as [`Failing::wants_backtrace`] asks for, as JSON.
    pub backtrace: Option<&'a [u8]>,
}

/// How much of a backtrace a job keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backtrace {
    /// All of it (`backtrace: true`).
    All,
    /// `lines[0...n]` as in Ruby: a negative number counts from the end.
    Lines(i64),
}

/// A failed job before its failure is recorded.
#[derive(Debug)]
pub struct Failing<'a> {
    payload: &'a [u8],
    queue: Vec<u8>,
    policy: Policy,
    retry: Retry,
    retry_count: Option<Number>,
    retry_for: Option<f64>,
    failed_at: Option<Number>,
    dead: bool,
    class: Option<String>,
    wrapped: Option<String>,
    /// The backtrace that [`Raised`] should contain, if any.
    pub wants_backtrace: Option<Backtrace>,
}

/// What a recorded failure leads to.
#[derive(Debug)]
pub enum Verdict {
    /// The job is not to be retried: it is stored nowhere, and death handlers get the payload as it was.
    Ignored,
    /// No retries are left: `sidekiq_retries_exhausted`, dead set (see [`Plan::goes_to_dead_set`]),
    /// death handlers.
    Exhausted(Plan),
    /// It is to be retried, unless `sidekiq_retry_in` says otherwise.
    Ask(Plan),
}

/// A recorded failure.
#[derive(Debug)]
pub struct Plan {
    payload: Vec<u8>,
    count: Number,
    dead: bool,
    version: SidekiqVersion,
}

impl<'a> Failing<'a> {
    /// Reads what the decision needs from `payload`, which was claimed from `queue` (a bare name).
    /// Where Sidekiq itself would raise (a `retry_count` that is not a number, a `retry_for` in
    /// words), and so lose the job, the field counts as absent.
    pub fn read(payload: &'a [u8], queue: &str, policy: &Policy) -> Result<Self, PatchError> {
        let mut own_queue = Vec::with_capacity(queue.len() + 2);
        json_string(&mut own_queue, queue);
        let mut failing = Self {
            payload,
            queue: own_queue,
            policy: *policy,
            retry: Retry::Absent,
            retry_count: None,
            retry_for: None,
            failed_at: None,
            dead: true,
            class: None,
            wrapped: None,
            wants_backtrace: None,
        };
        let mut retry_queue = None;
        visit(payload, |name, value| {
            let value = &payload[value];
            match name {
                b"retry" => failing.retry = Retry::from_json(value),
                b"retry_count" => failing.retry_count = Number::from_json(value),
                b"retry_for" => failing.retry_for = Number::from_json(value).map(Number::to_f64),
                b"retry_queue" => retry_queue = truthy(value).then(|| value.to_vec()),
                b"failed_at" => failing.failed_at = Number::from_json(value),
                b"dead" => failing.dead = value != b"false",
                b"class" => failing.class = text(value),
                b"wrapped" => failing.wrapped = text(value),
                b"backtrace" => {
                    failing.wants_backtrace = match value {
                        b"true" => Some(Backtrace::All),
                        _ if truthy(value) => to_i(value).map(|it| Backtrace::Lines(clamp(it))),
                        _ => None,
                    };
                }
                _ => {}
            }
        })?;
        if let Some(retry_queue) = retry_queue {
            failing.queue = retry_queue;
        }
        Ok(failing)
    }

    /// `class`, if it is a string.
    pub fn class(&self) -> Option<&str> {
        self.class.as_deref()
    }

    /// `wrapped`, if it is a string: from 7.1.3 on the blocks of this class are used, not those of the instance's.
    pub fn wrapped(&self) -> Option<&str> {
        self.wrapped.as_deref()
    }

    /// Whether [`Self::record`] will look at the class option.
    pub fn asks_class(&self) -> bool {
        self.retry == Retry::Absent
    }

    /// Writes the failure into the payload. `class_retry` is the `retry` option of the job's class, as JSON; without it
    /// (there is no instance: a missing class, a failing constructor) only the payload counts. `now` is epoch seconds.
    pub fn record(self, raised: &Raised<'_>, class_retry: Option<&[u8]>, now: f64) -> Verdict {
        let (retry, inherited) = match (self.retry, class_retry) {
            (Retry::Absent, Some(option)) => (Retry::from_json(option), class_retry),
            (own, _) => (own, None),
        };
        let limit = match retry {
            Retry::Absent | Retry::Flag(false) => return Verdict::Ignored,
            Retry::Count(limit) => limit,
            Retry::Flag(true) | Retry::Other => self.policy.max_retries,
        };
        let version = self.policy.version;
        let stamp = payload_time(now, version);
        let count = self.retry_count.map_or(Number::Integer(0), Number::next);
        let payload = self.write(raised, inherited, count, &stamp);

        let exhausted = match (version.retry_for(), self.retry_for) {
            (RetryFor::Exclusive, Some(seconds)) => self.outlived(seconds, now),
            (RetryFor::Both, Some(seconds)) => count.reaches(limit) || self.outlived(seconds, now),
            (RetryFor::Ignored, _) | (_, None) => count.reaches(limit),
        };
        let plan = Plan {
            payload,
            count,
            dead: self.dead,
            version,
        };
        if exhausted {
            Verdict::Exhausted(plan)
        } else {
            Verdict::Ask(plan)
        }
    }

    /// Whether `retry_for` seconds have passed since the first failure.
    fn outlived(&self, retry_for: f64, now: f64) -> bool {
        let version = self.policy.version;
        if self.retry_count.is_none() {
            // Sidekiq reads the clock again, so a limit of 0 is always over.
            return retry_for <= 0.0;
        }
        let failed_at = match self.failed_at {
            None => return false,
            Some(Number::Integer(ms)) if version.retry_for_reads_ms() => {
                let rest = if version.retry_for_is_subsecond() {
                    ms.rem_euclid(1000)
                } else {
                    0
                };
                Number::Integer(ms.div_euclid(1000)).to_f64()
                    + Number::Integer(rest).to_f64() / 1000.0
            }
            Some(number) => number.to_f64(),
        };
        failed_at + retry_for < now
    }

    fn write(
        &self,
        raised: &Raised<'_>,
        inherited: Option<&[u8]>,
        count: Number,
        stamp: &str,
    ) -> Vec<u8> {
        let mut message = Vec::with_capacity(raised.message.len() + 2);
        json_string(&mut message, &String::from_utf8_lossy(raised.message));
        let mut class = Vec::new();
        match raised.class {
            Some(name) => json_string(&mut class, &String::from_utf8_lossy(name)),
            None => class.extend_from_slice(b"null"),
        }
        let count = count.to_json();
        let backtrace = raised.backtrace.and_then(|it| self.compressed(it));

        // In the order in which Sidekiq adds them to its hash.
        let mut fields: Vec<Field<'_>> = Vec::with_capacity(8);
        if let Some(retry) = inherited {
            fields.push(("retry", retry));
        }
        fields.push(("queue", &self.queue));
        fields.push(("error_message", &message));
        fields.push(("error_class", &class));
        fields.push((
            if self.retry_count.is_some() {
                "retried_at"
            } else {
                "failed_at"
            },
            stamp.as_bytes(),
        ));
        fields.push(("retry_count", count.as_bytes()));
        if let Some(backtrace) = &backtrace {
            fields.push(("error_backtrace", backtrace));
        }
        // `read` has walked the same bytes already.
        patch(self.payload, &fields).unwrap_or_else(|_| self.payload.to_vec())
    }

    /// The backtrace as the payload has it: a JSON string.
    fn compressed(&self, backtrace: &[u8]) -> Option<Vec<u8>> {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(backtrace).ok()?;
        let encoded = BASE64.encode(zlib.finish().ok()?);
        let mut out = Vec::with_capacity(encoded.len() + 8);
        if self.policy.version.strict_base64() {
            json_string(&mut out, &encoded);
        } else {
            let mut lines = String::with_capacity(encoded.len() + encoded.len() / 60 + 1);
            for (at, character) in encoded.chars().enumerate() {
                if at > 0 && at % 60 == 0 {
                    lines.push('\n');
                }
                lines.push(character);
            }
            lines.push('\n');
            json_string(&mut out, &lines);
        }
        Some(out)
    }
}

impl Plan {
    /// The payload with its failure, for the retry or dead set and for blocks and handlers.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// As [`Self::payload`], without a copy.
    pub fn into_payload(self) -> Vec<u8> {
        self.payload
    }

    /// The payload for the death handlers of a job that is not stored: with `discarded_at` where
    /// the version has it. `now` is epoch seconds.
    pub fn discarded(&self, now: f64) -> Vec<u8> {
        if !self.version.has_discarded_at() {
            return self.payload.clone();
        }
        let stamp = payload_time(now, self.version);
        patch(&self.payload, &[("discarded_at", stamp.as_bytes())])
            .unwrap_or_else(|_| self.payload.clone())
    }

    /// When to try again, in epoch seconds. `delay` is what `sidekiq_retry_in` said, in seconds;
    /// without it, or if it is not above 0, the default `count**4 + 15` applies. `random(n)` returns a
    /// number below n. A time beyond the range of a float is infinite, as in Sidekiq: never.
    pub fn retry_at(
        &self,
        delay: Option<f64>,
        now: f64,
        random: &mut impl FnMut(u32) -> u32,
    ) -> f64 {
        let count = self.count.to_f64();
        let delay = delay
            .filter(|&delay| delay > 0.0)
            .unwrap_or_else(|| count.powi(4) + 15.0);
        let step = ((count + 1.0) as u32).max(1);
        let jitter = match self.version.jitter() {
            Jitter::Steps => u64::from(random(10)) * u64::from(step),
            Jitter::Seconds => u64::from(random(step.saturating_mul(10))),
        };
        now + delay + jitter as f64
    }

    /// Whether the job, once exhausted, is kept in the dead set: not if its `dead` is false. From 7.2 on
    /// an exhausted block may still say `:discard`.
    pub fn goes_to_dead_set(&self) -> bool {
        self.dead
    }
}

fn clamp(number: i128) -> i64 {
    let bounds = i128::from(i64::MIN)..=i128::from(i64::MAX);
    number.clamp(*bounds.start(), *bounds.end()) as i64
}

#[cfg(test)]
#[path = "failure_tests.rs"]
mod tests;
