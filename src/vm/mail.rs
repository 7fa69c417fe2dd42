//! The engine's two mailboxes as Ruby reads them: `control` and `due`.

use std::borrow::Cow;

use magnus::{
    Error, IntoValue, RArray, RClass, RString, Ruby, Symbol, TryConvert, Value, method, prelude::*,
};

use super::gvl::without_gvl;
use super::handle::Handle;
use crate::engine::{Control, Due, DueBatch, Mail, Mailbox};

/// Waits for a message without taking it. `false` once the engine has ended.
fn await_mail<T: Send>(ruby: &Ruby, mailbox: &Mailbox<T>) -> Result<bool, Error> {
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

fn await_control(ruby: &Ruby, this: &Handle) -> Result<bool, Error> {
    await_mail(ruby, &this.shared().control)
}

/// Takes the next thing to say or do, as an array that begins with its kind; nil when there is none. Does not wait,
/// so that the thread can be protected from being killed until it has done what it took.
fn control(ruby: &Ruby, this: &Handle) -> Option<RArray> {
    let Mail::Message(message) = this.shared().control.read() else {
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
fn each_due(ruby: &Ruby, this: &Handle) -> Result<(), Error> {
    let block = ruby.block_proc()?;
    let mailbox = &this.shared().due;
    while await_mail(ruby, mailbox)? {
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

pub(super) fn define(class: RClass) -> Result<(), Error> {
    class.define_method("await_control", method!(await_control, 0))?;
    class.define_method("control", method!(control, 0))?;
    class.define_method("each_due", method!(each_due, 0))?;
    Ok(())
}
