//! How a dialect's writes travel to the scripts that carry them out (writes.lua).

use super::script::Call;
use crate::dialect::{Body, Note, Place, Writes};
use crate::job::End;

/// Adds whether there is a place, how many writes there are, and four arguments for each. The keys in `writes` are full
/// keys already.
pub(super) fn push(call: &mut Call, writes: &Writes) {
    let entries = writes
        .notes
        .iter()
        .filter(|it| matches!(it, Note::Entry { .. }));
    let count = writes.notes.len() + entries.count() + usize::from(writes.place.is_some());
    call.arg(u8::from(writes.place.is_some())).arg(count);
    match &writes.place {
        None => {}
        Some(Place::Sorted { key, score, body }) => {
            one(call, 'z', key, score.to_string(), body);
        }
        Some(Place::List { key, end, body }) => one(call, push_code(*end), key, "", body),
    }
    for note in &writes.notes {
        push_note(call, note);
    }
}

fn push_note(call: &mut Call, note: &Note) {
    match note {
        Note::Count { key, by, expiry } => plain(call, 'c', key, by, expiry.unwrap_or(0)),
        Note::Member { key, member } => plain(call, 's', key, "", member),
        Note::Entry { key, body, keep } => {
            one(call, 'l', key, "", body);
            plain(call, 'n', key, "", keep);
        }
        Note::Trim(trim) => plain(call, 't', &trim.key, trim.oldest.to_string(), trim.most),
        Note::Delete { key } => plain(call, 'x', key, "", ""),
    }
}

fn push_code(end: End) -> char {
    match end {
        End::Left => 'l',
        End::Right => 'r',
    }
}

/// A capital code stands for the job as it was claimed.
fn one(call: &mut Call, code: char, key: &str, value: impl redis::ToRedisArgs, body: &Body) {
    match body {
        Body::AsClaimed => plain(call, code.to_ascii_uppercase(), key, value, ""),
        Body::Changed(bytes) => plain(call, code, key, value, bytes.as_slice()),
    }
}

fn plain(
    call: &mut Call,
    code: char,
    key: &str,
    value: impl redis::ToRedisArgs,
    member: impl redis::ToRedisArgs,
) {
    let index = call.key(key);
    call.arg(code.to_string()).arg(index).arg(value).arg(member);
}
