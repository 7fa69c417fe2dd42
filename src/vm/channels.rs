//! The engine's two mailboxes as Ruby reads them: `control` and `due`.

use std::borrow::Cow;

use magnus::{Error, IntoValue, RArray, RString, Ruby, Symbol, TryConvert, Value, prelude::*};

use super::gvl::without_gvl;
use crate::engine::{Control, Due, DueBatch, Mail, Mailbox};

/// Waits for a message without taking it. `false` once the engine has ended.
pub(super) fn await_message<T: Send>(ruby: &Ruby, mailbox: &Mailbox<T>) -> Result<bool, Error> {
    loop {
        match mailbox.look() {
            Mail::Message(()) => return Ok(true),
            Mail::Closed => return Ok(false),
            Mail::Empty => {
                without_gvl(&mailbox.parker, || mailbox.parker.park());
                ruby.thread_check_ints()?;
            }
        }
    }
}

/// Takes the next thing to say or do, as an array that begins with its kind; nil when there is none. Does not wait,
/// so that the thread can be protected from being killed until it has done what it took.
pub(super) fn control(ruby: &Ruby, mailbox: &Mailbox<Control>) -> Option<RArray> {
    let Mail::Message(message) = mailbox.read() else {
        return None;
    };
    let symbol = |name: &str| ruby.to_symbol(name);
    let array =
        match message {
            Control::Log { level, message } => ruby.ary_new_from_values(&[
                symbol("log").as_value(),
                symbol(level).as_value(),
                message.into_value_with(ruby),
            ]),
            Control::Beat { first } => {
                ruby.ary_new_from_values(&[symbol("beat").as_value(), first.into_value_with(ruby)])
            }
            Control::Signal(name) => {
                ruby.ary_new_from_values(&[symbol("signal").as_value(), name.into_value_with(ruby)])
            }
            Control::Malformed { payload, reason } => ruby.ary_new_from_values(&[
                symbol("malformed").as_value(),
                ruby.enc_str_new(&payload, ruby.utf8_encoding()).as_value(),
                reason.into_value_with(ruby),
            ]),
            Control::Outage(message) => ruby
                .ary_new_from_values(&[symbol("outage").as_value(), message.into_value_with(ruby)]),
            Control::Fault(message) => ruby
                .ary_new_from_values(&[symbol("fault").as_value(), message.into_value_with(ruby)]),
        };
    Some(array)
}

/// Yields each due payload to the block, which answers with `[queue, payload]`, `:veto`, `:malformed` or `:keep`.
/// Returns when the engine has ended. If the block ends without an answer (middleware kills its thread), that one job
/// is kept where it is, and this call ends: the caller starts a new thread, for the rest of the batch.
pub(super) fn each_due(ruby: &Ruby, mailbox: &Mailbox<DueBatch>) -> Result<(), Error> {
    let block = ruby.block_proc()?;
    while await_message(ruby, mailbox)? {
        let Mail::Message(DueBatch { payloads, answer }) = mailbox.read() else {
            continue;
        };
        let mut decided = Vec::with_capacity(payloads.len());
        let mut ended = Ok(());
        for payload in &payloads {
            if answer.is_closed() {
                break;
            }
            let payload = ruby.enc_str_new(payload, ruby.utf8_encoding());
            match block.call::<_, Value>((payload,)) {
                Ok(answer) => decided.push(due(answer)),
                Err(error) => {
                    decided.push(Due::Keep);
                    ended = Err(error);
                    break;
                }
            }
        }
        // The engine may have gone quiet and given up on the answer; then the jobs stay due.
        drop(answer.send(decided));
        ended?;
    }
    Ok(())
}

fn due(answer: Value) -> Due {
    if let Ok((queue, payload)) = <(String, RString)>::try_convert(answer) {
        // SAFETY: copied at once.
        let payload = unsafe { payload.as_slice() }.to_vec();
        return Due::Push { queue, payload };
    }
    // A symbol does not convert to a string by itself.
    let name = Symbol::from_value(answer).and_then(|it| it.name().ok().map(Cow::into_owned));
    match name.as_deref() {
        Some("veto") => Due::Veto,
        Some("malformed") => Due::Malformed,
        _ => Due::Keep,
    }
}
