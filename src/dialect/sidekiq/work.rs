//! The entries of the hash of running jobs. Dashboards only look at them, and each heartbeat writes them anew; so for a
//! large payload an entry has a shortened one, which is still a valid payload.

use std::borrow::Cow;

use crate::job::{Job, json_string, unescape, visit};

/// The most bytes shown of a payload if few jobs run.
const MOST: usize = 8 << 10;
/// The most bytes shown of all payloads together. Measured: a heartbeat of so many bytes, for 1,000 jobs, keeps Redis
/// busy for 3 ms.
const MOST_TOGETHER: usize = 512 << 10;
/// The most bytes shown of a name when only names are shown.
const NAME: usize = 128;
/// Dashboards look into their arguments: those of the mailer begin after three others.
const MAILERS: [&str; 2] = ["ActionMailer::MailDeliveryJob", "ActionMailer::DeliveryJob"];

/// How many bytes of each payload may be shown, so that all together are not too many. Only the larger ones are
/// shortened.
pub(in crate::dialect) fn shown_bytes(lengths: impl Iterator<Item = usize> + Clone) -> usize {
    let mut most = MOST;
    while most > NAME && lengths.clone().map(|it| it.min(most)).sum::<usize>() > MOST_TOGETHER {
        most /= 2;
    }
    most
}

/// The bare queue name, the payload as a JSON *string*, and whole epoch seconds. A payload of up to `most` bytes is
/// shown as it is, except that bytes that are not UTF-8 become U+FFFD: the entry is only looked at, and such bytes
/// would make Sidekiq's whole heartbeat fail.
pub(in crate::dialect) fn work_entry(job: &Job, most: usize, run_at: i64) -> String {
    let payload = shown(job, most);
    let mut out = Vec::with_capacity(payload.len() + payload.len() / 4 + job.queue.name.len() + 48);
    out.extend_from_slice(b"{\"queue\":");
    json_string(&mut out, &job.queue.name);
    out.extend_from_slice(b",\"payload\":");
    json_string(&mut out, &String::from_utf8_lossy(&payload));
    out.extend_from_slice(format!(",\"run_at\":{run_at}}}").as_bytes());
    String::from_utf8(out).unwrap_or_default()
}

fn shown(job: &Job, most: usize) -> Cow<'_, [u8]> {
    let payload = &job.payload;
    if payload.len() <= most {
        return Cow::Borrowed(payload);
    }
    let names = Names::of(job);
    if let Some(envelope) = &job.envelope {
        let (start, end) = (envelope.args.start as usize, envelope.args.end as usize);
        let (before, after) = (&payload[..start], &payload[end..]);
        let args = names.args(end - start);
        if before.len() + args.len() + after.len() <= most {
            return Cow::Owned([before, args.as_bytes(), after].concat());
        }
    }
    Cow::Owned(names.payload(job))
}

/// The names by which a job is recognised.
#[derive(Default)]
struct Names {
    class: Option<String>,
    wrapped: Option<String>,
    jid: Option<String>,
}

impl Names {
    fn of(job: &Job) -> Self {
        let mut names = Self::default();
        let text = |inside: &[u8]| Some(shortened(&unescape(inside)));
        if let Some(envelope) = &job.envelope {
            names.class = text(job.span(&envelope.class));
            names.wrapped = envelope.wrapped.as_ref().and_then(|it| text(job.span(it)));
            names.jid = envelope.jid.as_ref().and_then(|it| text(job.span(it)));
            return names;
        }
        // A payload that is not an object has no names.
        let _ = visit(&job.payload, |name, value| {
            let value = job.payload[value]
                .strip_prefix(b"\"")
                .and_then(|it| it.strip_suffix(b"\""));
            match (name, value) {
                (b"class", Some(value)) => names.class = text(value),
                (b"wrapped", Some(value)) => names.wrapped = text(value),
                (b"jid", Some(value)) => names.jid = text(value),
                _ => {}
            }
        });
        names
    }

    /// A replacement for `bytes` bytes of arguments, in the form in which Sidekiq's API expects those of an Active Job.
    fn args(&self, bytes: usize) -> String {
        let note = format!("\"(not shown: {bytes} bytes)\"");
        match self.wrapped.as_deref() {
            None => format!("[{note}]"),
            Some(mailer) if MAILERS.contains(&mailer) => format!(
                "[{{\"arguments\":[{note},{note},{note},{{\"params\":null,\"args\":[{note}]}}]}}]"
            ),
            Some(_) => format!("[{{\"arguments\":[{note}]}}]"),
        }
    }

    /// A payload of these names and nothing else.
    fn payload(&self, job: &Job) -> Vec<u8> {
        let mut out = b"{\"class\":".to_vec();
        let mut name = |before: &str, name: Option<&str>| {
            out.extend_from_slice(before.as_bytes());
            match name {
                Some(name) => json_string(&mut out, name),
                None => out.extend_from_slice(b"null"),
            }
        };
        name("", self.class.as_deref());
        if self.wrapped.is_some() {
            name(",\"wrapped\":", self.wrapped.as_deref());
        }
        name(",\"jid\":", self.jid.as_deref());
        name(",\"queue\":", Some(&shortened(job.queue.name.as_bytes())));
        out.extend_from_slice(b",\"args\":");
        out.extend_from_slice(self.args(job.payload.len()).as_bytes());
        out.push(b'}');
        out
    }
}

fn shortened(name: &[u8]) -> String {
    let mut name = String::from_utf8_lossy(name).into_owned();
    let end = (0..=NAME).rev().find(|it| name.is_char_boundary(*it));
    name.truncate(end.unwrap_or_default());
    name
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::*;
    use crate::job::{Envelope, Token};

    fn job(queue: &str, payload: &[u8]) -> Job {
        Job {
            token: Token(1),
            parcel: None,
            epoch: 1,
            queue: crate::job::Queue::named(queue),
            envelope: Envelope::read(payload),
            payload: payload.into(),
        }
    }

    fn entry(payload: &[u8], most: usize) -> Value {
        let entry = work_entry(&job("low", payload), most, 0);
        let entry: Value = serde_json::from_str(&entry).unwrap();
        let payload = entry["payload"].as_str().unwrap();
        serde_json::from_str(payload).unwrap()
    }

    #[test]
    fn a_work_entry_holds_the_payload_as_a_string() {
        assert_eq!(
            work_entry(&job("low", br#"{"class":"A"}"#), MOST, 1_735_689_600),
            r#"{"queue":"low","payload":"{\"class\":\"A\"}","run_at":1735689600}"#
        );
        assert_eq!(
            work_entry(&job("q", b"\xff"), MOST, 0),
            "{\"queue\":\"q\",\"payload\":\"\u{fffd}\",\"run_at\":0}"
        );
    }

    #[test]
    fn of_a_large_payload_all_but_the_arguments_is_shown() {
        let args = "x".repeat(2_000);
        let payload = format!(
            r#"{{"retry":true,"class":"A","args":["{args}"],"jid":"b","queue":"low","created_at":1.5}}"#
        );
        assert_eq!(
            entry(payload.as_bytes(), 1_000),
            json!({"retry": true, "class": "A", "args": ["(not shown: 2004 bytes)"], "jid": "b", "queue": "low", "created_at": 1.5})
        );
        let whole: Value = serde_json::from_str(&payload).unwrap();
        assert_eq!(entry(payload.as_bytes(), payload.len()), whole);
    }

    #[test]
    fn of_an_active_job_the_arguments_are_where_the_api_looks_for_them() {
        let args = "x".repeat(2_000);
        for (wrapped, at) in [("Mine", 0), ("ActionMailer::MailDeliveryJob", 3)] {
            let payload = format!(
                r#"{{"class":"W","wrapped":"{wrapped}","jid":"b","args":[{{"arguments":["{args}"]}}]}}"#
            );
            let shown = entry(payload.as_bytes(), 1_000);
            assert_eq!(shown["wrapped"], wrapped);
            let mut argument = &shown["args"][0]["arguments"][at];
            if at > 0 {
                argument = &argument["args"][0];
            }
            assert_eq!(argument, "(not shown: 2020 bytes)");
        }
    }

    #[test]
    fn whatever_is_large_in_it_the_names_are_there() {
        let long = "\u{fc}".repeat(5_000);
        for (payload, expected) in [
            (
                format!(r#"{{"class":"A","jid":"b","args":[],"tags":["{long}"]}}"#),
                json!(["A", "b", "low"]),
            ),
            // A payload that only Ruby can read.
            (
                format!(r#"{{"class":"A","jid":"b","args":["{long}"],/* so */"x":1}}"#),
                json!(["A", "b", "low"]),
            ),
            (
                format!(r#"{{"class":"{long}","jid":7,"args":[]}}"#),
                json!([&long[..NAME], null, "low"]),
            ),
            (long.clone(), json!([null, null, "low"])),
        ] {
            let shown = entry(payload.as_bytes(), 500);
            assert_eq!(
                json!([shown["class"], shown["jid"], shown["queue"]]),
                expected
            );
            assert!(shown.to_string().len() < 1_000);
        }
    }

    #[test]
    fn the_large_give_way_to_the_small() {
        let shown = |lengths: &[usize]| shown_bytes(lengths.iter().copied());
        assert_eq!(shown(&[1 << 20; 25]), MOST);
        assert_eq!(shown(&[1 << 20; 1_000]), 512);
        let mut mixed = vec![400; 900];
        mixed.extend([1 << 20; 100]);
        assert_eq!(shown(&mixed), 1 << 10);
        assert_eq!(shown(&[1 << 20; 100_000]), NAME);
    }
}
