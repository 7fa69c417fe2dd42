//! `Thread.current[:sidekiq_context]`, which Sidekiq's logger adds to every line that a job logs.

use magnus::rb_sys::{AsRawId, AsRawValue, FromRawValue, protect};
use magnus::{Error, RArray, Ruby, Value};
use rb_sys::{ID, VALUE};

use super::json;
use crate::dialect::SidekiqVersion;
use crate::job::{Envelope, Job};

/// The names that every job needs, interned once: symbols made this way are never collected.
pub(super) struct JobContext {
    variable: ID,
    jid: VALUE,
    class: VALUE,
    bid: VALUE,
    tags: VALUE,
    class_first: bool,
}

// SAFETY: IDs and static symbols are plain numbers, the same in every thread, for ever.
unsafe impl Send for JobContext {}
// SAFETY: as above.
unsafe impl Sync for JobContext {}

impl JobContext {
    /// With the keys in the order of `version`, which is their order in the log.
    pub(super) fn new(ruby: &Ruby, version: SidekiqVersion) -> Self {
        let symbol = |name| ruby.sym_new(name).as_raw();
        Self {
            variable: ruby.intern("sidekiq_context").as_raw(),
            jid: symbol("jid"),
            class: symbol("class"),
            bid: symbol("bid"),
            tags: symbol("tags"),
            class_first: !version.logs_level_first(),
        }
    }

    /// Sets it for `job`, whose payload has an envelope, in the current thread.
    pub(super) fn set(&self, job: &Job) -> Result<Option<Entered>, Error> {
        let Some(envelope) = &job.envelope else {
            return Ok(None);
        };
        let mut entered = None;
        // SAFETY: under protect and with the GVL; nothing in here needs dropping.
        protect(|| unsafe {
            let jid = string(job.text(envelope.jid.as_ref()));
            let class = string(job.display_class());
            entered = Some(self.enter(job, envelope, jid, class));
            rb_sys::Qnil as VALUE
        })?;
        Ok(entered)
    }

    /// The current thread runs no job any more.
    pub(super) fn leave(&self) {
        // SAFETY: under protect and with the GVL.
        let left = protect(|| unsafe {
            let thread = rb_sys::rb_thread_current();
            rb_sys::rb_thread_local_aset(thread, self.variable, rb_sys::Qnil as VALUE)
        });
        // Only a frozen thread refuses, and that had no context either.
        drop(left);
    }

    /// Whether the job's log lines would still look as they did when the context was entered. An addition to the array
    /// of tags is noticed, a change to a string is not.
    pub(super) fn is_as_entered(&self, entered: &Entered) -> bool {
        // SAFETY: with the GVL; the hash has symbols for keys, for which looking up runs no Ruby code and raises
        // nothing; its values are in it.
        unsafe {
            let nil = rb_sys::Qnil as VALUE;
            let hash = rb_sys::rb_thread_local_aref(rb_sys::rb_thread_current(), self.variable);
            let at = |key| rb_sys::rb_hash_lookup(entered.hash, key);
            hash == entered.hash
                && rb_sys::rb_hash_size_num(hash) as usize == entered.size
                && at(self.jid) == entered.jid
                && at(self.class) == entered.class
                // Few jobs have these. That there are no other keys is known from the size.
                && (entered.bid == nil || at(self.bid) == entered.bid)
                && (entered.tags == nil || at(self.tags) == entered.tags)
                && length(entered.tags) == entered.tags_length
        }
    }

    /// As [`Self::set`], with strings that the caller has: the job's `jid`, and the class to show.
    ///
    /// # Safety
    ///
    /// With the GVL and under protect; `jid` and `class` are on the caller's stack.
    pub(super) unsafe fn enter(
        &self,
        job: &Job,
        envelope: &Envelope,
        jid: VALUE,
        class: VALUE,
    ) -> Entered {
        // SAFETY: the caller's promise; `hash` is on the stack until the thread refers to it.
        unsafe {
            let hash = rb_sys::rb_hash_new();
            if self.class_first {
                rb_sys::rb_hash_aset(hash, self.class, class);
            }
            if jid != rb_sys::Qnil as VALUE {
                rb_sys::rb_hash_aset(hash, self.jid, jid);
            }
            if !self.class_first {
                rb_sys::rb_hash_aset(hash, self.class, class);
            }
            let nil = rb_sys::Qnil as VALUE;
            let [mut bid, mut tags] = [nil; 2];
            for (key, span, set) in [
                (self.bid, &envelope.bid, &mut bid),
                (self.tags, &envelope.tags, &mut tags),
            ] {
                let value = span.as_ref().and_then(|it| json::read(job.span(it)));
                if let Some(value) = value {
                    rb_sys::rb_hash_aset(hash, key, value);
                    *set = value;
                }
            }
            rb_sys::rb_thread_local_aset(rb_sys::rb_thread_current(), self.variable, hash);
            Entered {
                hash,
                jid,
                class,
                bid,
                tags,
                tags_length: length(tags),
                size: rb_sys::rb_hash_size_num(hash) as usize,
            }
        }
    }
}

/// What was set, to compare with later. Whoever keeps it must keep `hash` from being collected.
#[derive(Clone, Copy)]
pub(super) struct Entered {
    pub(super) hash: VALUE,
    jid: VALUE,
    class: VALUE,
    bid: VALUE,
    tags: VALUE,
    tags_length: usize,
    size: usize,
}

/// The length of an array; 0 for anything else.
///
/// # Safety
///
/// With the GVL; `value` is alive.
unsafe fn length(value: VALUE) -> usize {
    if value == rb_sys::Qnil as VALUE {
        return 0;
    }
    // SAFETY: the caller's promise.
    RArray::from_value(unsafe { Value::from_raw(value) }).map_or(0, RArray::len)
}

/// A Ruby string, or nil.
///
/// # Safety
///
/// With the GVL and under protect.
pub(super) unsafe fn string(text: Option<&str>) -> VALUE {
    match text {
        // SAFETY: the bytes are copied during the call.
        Some(text) => unsafe { rb_sys::rb_utf8_str_new(text.as_ptr().cast(), text.len() as _) },
        None => rb_sys::Qnil as VALUE,
    }
}
