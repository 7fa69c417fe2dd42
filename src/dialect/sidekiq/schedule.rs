//! What the poller's `Client#push` does to a due member of the schedule or retry set, when no client
//! middleware is there to see it (client.rb `push` and `atomic_push`, job_util.rb `normalize_item`).
//!
//! One difference on purpose: Sidekiq rebuilds the object with its default options in front; here
//! what is missing is appended and every other byte stays.

use super::SidekiqVersion;
use super::clock::payload_time;
use super::fields::{Number, to_i, truthy};
use crate::dialect::Promotion;
use crate::job::{Field, PatchError, json_string, patch, unescape, visit};

/// Why a member cannot be pushed. Sidekiq raises in its poller, and the job is lost; our caller moves it
/// to the dead set instead.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Malformed {
    /// Not a JSON object.
    #[error("the member is not a JSON object")]
    NotAnObject,
    /// No `class`, or one that is not a string.
    #[error("the job has no class")]
    Class,
    /// No `args`, or not an array.
    #[error("the job's args are not an array")]
    Args,
    /// A `queue` that is null or empty.
    #[error("the job has no queue")]
    Queue,
    /// An `at`, `tags` or `retry_for` of the wrong type or size.
    #[error("the job's {0} is invalid")]
    Field(&'static str),
}

impl From<PatchError> for Malformed {
    fn from(_: PatchError) -> Self {
        Self::NotAnObject
    }
}

#[derive(Clone, Copy, Default)]
struct Member<'a> {
    class: Option<&'a [u8]>,
    args: Option<&'a [u8]>,
    queue: Option<&'a [u8]>,
    jid: Option<&'a [u8]>,
    created_at: Option<&'a [u8]>,
    at: Option<&'a [u8]>,
    tags: Option<&'a [u8]>,
    retry_for: Option<&'a [u8]>,
}

/// Prepares `member` for its queue. `now` is epoch seconds; `defaults` are the application's
/// `default_job_options` as JSON (Sidekiq's own: `retry` true and `queue` "default"), which are added where
/// the job lacks them; `jid` makes 24 hexadecimal digits for a job without one.
///
/// Adds or replaces `enqueued_at` in the unit of `version`. A member that has an `at` of its own,
/// which no client stores, is promoted all the same: Sidekiq would put it back into the schedule
/// for ever.
pub(super) fn promote(
    member: &[u8],
    now: f64,
    version: SidekiqVersion,
    defaults: &[Field<'_>],
    jid: impl FnOnce() -> String,
) -> Result<Promotion, Malformed> {
    let mut job = Member::default();
    let mut names = Vec::with_capacity(16);
    visit(member, |name, value| {
        let value = &member[value];
        if let Some(default) = defaults
            .iter()
            .position(|(field, _)| field.as_bytes() == name)
        {
            names.push(default);
        }
        match name {
            b"class" => job.class = Some(value),
            b"args" => job.args = Some(value),
            b"queue" => job.queue = Some(value),
            b"jid" => job.jid = Some(value),
            b"created_at" => job.created_at = Some(value),
            b"at" => job.at = Some(value),
            b"tags" => job.tags = Some(value),
            b"retry_for" => job.retry_for = Some(value),
            _ => {}
        }
    })?;
    validate(&job, version)?;

    let missing = defaults
        .iter()
        .enumerate()
        .filter(|(index, _)| !names.contains(index));
    let mut fields: Vec<Field<'_>> = missing.map(|(_, field)| *field).collect();
    let queue_json = job.queue.or_else(|| {
        fields
            .iter()
            .rev()
            .find(|field| field.0 == "queue")
            .map(|field| field.1)
    });
    let queue = queue_name(queue_json.ok_or(Malformed::Queue)?)?;

    let mut new_jid = Vec::new();
    if !job.jid.is_some_and(truthy) {
        json_string(&mut new_jid, &jid());
        fields.push(("jid", &new_jid));
    }
    let mut queue_text = Vec::new();
    if !queue_json.is_some_and(|json| json.starts_with(b"\"")) {
        json_string(&mut queue_text, &queue);
        fields.push(("queue", &queue_text));
    }
    let retry_for = job
        .retry_for
        .filter(|_| version.normalizes_retry_for())
        .and_then(whole);
    if let Some(seconds) = &retry_for {
        fields.push(("retry_for", seconds.as_bytes()));
    }
    let stamp = payload_time(now, version);
    if !job.created_at.is_some_and(truthy) {
        fields.push(("created_at", stamp.as_bytes()));
    }
    fields.push(("enqueued_at", stamp.as_bytes()));
    Ok(Promotion {
        queue,
        payload: patch(member, &fields)?,
    })
}

fn validate(job: &Member<'_>, version: SidekiqVersion) -> Result<(), Malformed> {
    if !job.class.is_some_and(|json| json.starts_with(b"\"")) {
        return Err(Malformed::Class);
    }
    if !job.args.is_some_and(|json| json.starts_with(b"[")) {
        return Err(Malformed::Args);
    }
    if job.at.is_some_and(|json| Number::from_json(json).is_none()) {
        return Err(Malformed::Field("at"));
    }
    if job
        .tags
        .is_some_and(|json| truthy(json) && !json.starts_with(b"["))
    {
        return Err(Malformed::Field("tags"));
    }
    // Sidekiq refuses what looks like an absolute time.
    let relative =
        |json: &[u8]| Number::from_json(json).is_some_and(|seconds| seconds.to_f64() <= 1e9);
    if version.normalizes_retry_for()
        && job
            .retry_for
            .is_some_and(|json| truthy(json) && !relative(json))
    {
        return Err(Malformed::Field("retry_for"));
    }
    Ok(())
}

/// The whole seconds of a `retry_for` that is not whole yet.
fn whole(json: &[u8]) -> Option<String> {
    match Number::from_json(json)? {
        Number::Integer(_) => None,
        Number::Float(_) => Some(to_i(json)?.to_string()),
    }
}

/// Ruby's `to_s` of the field; an object or an array gives its JSON.
fn queue_name(json: &[u8]) -> Result<String, Malformed> {
    let name = match json
        .strip_prefix(b"\"")
        .and_then(|json| json.strip_suffix(b"\""))
    {
        Some(inside) => unescape(inside),
        None if json == b"null" => Vec::new(),
        None => json.to_vec(),
    };
    if name.is_empty() {
        return Err(Malformed::Queue);
    }
    Ok(String::from_utf8_lossy(&name).into_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const DEFAULTS: [Field<'static>; 2] = [("retry", b"true"), ("queue", b"\"default\"")];
    const NOW: f64 = 1_735_689_600.25;
    const OLD: SidekiqVersion = SidekiqVersion::new(6, 4, 1);
    const SEVEN: SidekiqVersion = SidekiqVersion::new(7, 3, 2);
    const EIGHT: SidekiqVersion = SidekiqVersion::new(8, 1, 7);

    fn push(member: &str, version: SidekiqVersion) -> Result<(String, String), Malformed> {
        push_at(member, version, NOW)
    }

    fn push_at(
        member: &str,
        version: SidekiqVersion,
        now: f64,
    ) -> Result<(String, String), Malformed> {
        let jid = || "0123456789abcdef01234567".to_owned();
        let promotion = promote(member.as_bytes(), now, version, &DEFAULTS, jid)?;
        let payload = String::from_utf8(promotion.payload).unwrap();
        Ok((promotion.queue, payload))
    }

    #[test]
    fn a_due_job_only_gets_enqueued_at() {
        let member =
            r#"{"retry":true,"queue":"low","args":[1.50],"class":"A","jid":"j","created_at":1}"#;
        for (version, stamp) in [
            (OLD, "1735689600.25"),
            (SEVEN, "1735689600.25"),
            (EIGHT, "1735689600250"),
        ] {
            let (queue, payload) = push(member, version).unwrap();
            assert_eq!(queue, "low");
            assert_eq!(
                payload,
                member.replace(
                    "\"created_at\":1}",
                    &format!("\"created_at\":1,\"enqueued_at\":{stamp}}}")
                )
            );
        }
    }

    #[test]
    fn a_retried_job_gets_a_new_enqueued_at_in_place() {
        let member = r#"{"retry":true,"queue":"low","args":[],"class":"A","jid":"j","created_at":1,"enqueued_at":2.5,"retry_count":0}"#;
        assert_eq!(
            push(member, EIGHT).unwrap().1,
            member.replace("2.5", "1735689600250")
        );
    }

    #[test]
    fn what_is_missing_is_added() {
        let (queue, payload) = push(r#"{"class":"A","args":[]}"#, EIGHT).unwrap();
        assert_eq!(queue, "default");
        assert_eq!(
            payload,
            r#"{"class":"A","args":[],"retry":true,"queue":"default","jid":"0123456789abcdef01234567","created_at":1735689600250,"enqueued_at":1735689600250}"#
        );
        // A nil option is an option; a nil jid is none.
        let (_, payload) = push(
            r#"{"class":"A","args":[],"retry":null,"jid":null,"queue":5,"created_at":1}"#,
            SEVEN,
        )
        .unwrap();
        assert_eq!(
            payload,
            r#"{"class":"A","args":[],"retry":null,"jid":"0123456789abcdef01234567","queue":"5","created_at":1,"enqueued_at":1735689600.25}"#
        );
    }

    #[test]
    fn retry_for_becomes_whole_where_it_exists() {
        let member = r#"{"class":"A","args":[],"retry":1,"queue":"q","jid":"j","created_at":1,"retry_for":59.9}"#;
        assert!(
            push(member, OLD)
                .unwrap()
                .1
                .contains(r#""retry_for":59.9,"#)
        );
        assert!(
            push(member, EIGHT)
                .unwrap()
                .1
                .contains(r#""retry_for":59,"#)
        );
        let absolute = member.replace("59.9", "1735689600");
        assert_eq!(push(&absolute, EIGHT), Err(Malformed::Field("retry_for")));
        assert!(push(&absolute, OLD).is_ok());
    }

    #[test]
    fn names_are_read_through_escapes() {
        let (queue, payload) =
            push(r#"{"class":"A","args":[],"qu\u0065ue":"l\u006fw"}"#, EIGHT).unwrap();
        assert_eq!(queue, "low");
        assert!(!payload.contains("default"));
    }

    #[test]
    fn what_sidekiq_refuses_is_malformed() {
        for (member, error) in [
            ("[]", Malformed::NotAnObject),
            ("{", Malformed::NotAnObject),
            ("\u{0}", Malformed::NotAnObject),
            ("{}", Malformed::Class),
            (r#"{"class":null,"args":[]}"#, Malformed::Class),
            (r#"{"class":"A"}"#, Malformed::Args),
            (r#"{"class":"A","args":{}}"#, Malformed::Args),
            (r#"{"class":"A","args":[],"queue":null}"#, Malformed::Queue),
            (r#"{"class":"A","args":[],"queue":""}"#, Malformed::Queue),
            (
                r#"{"class":"A","args":[],"tags":"x"}"#,
                Malformed::Field("tags"),
            ),
            (
                r#"{"class":"A","args":[],"at":"x"}"#,
                Malformed::Field("at"),
            ),
        ] {
            assert_eq!(push(member, EIGHT), Err(error), "{member}");
        }
    }

    /// What the gems' own `Client#push` sent at 1735689600.25 (which `Time#to_f` makes a hair less):
    /// one JSON array a line of major version, member, queue and payload, both empty where it
    /// raised. Compared as values: the gem moves its defaults to the front.
    const GOLDEN: &str = include_str!("golden/pushes.jsonl");

    #[test]
    fn pushes_are_the_gems() {
        for line in GOLDEN.lines() {
            let (major, member, queue, payload): (u16, String, String, String) =
                serde_json::from_str(line).unwrap();
            let version = *[OLD, SEVEN, EIGHT]
                .iter()
                .find(|g| g.major == major)
                .unwrap();
            match push_at(&member, version, 1_735_689_600.249_999_8) {
                Ok(ours) => {
                    let value =
                        |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap();
                    assert_eq!(ours.0, queue, "{line}");
                    assert_eq!(value(&ours.1), value(&payload), "{line}");
                }
                Err(_) => assert_eq!(queue, "", "{line}"),
            }
        }
    }
}
