//! `Thread.current[:sidekiq_context]`, which Sidekiq's logger adds to every line that a job logs.

use magnus::rb_sys::{AsRawId, AsRawValue, protect};
use magnus::{Error, Ruby};
use rb_sys::{ID, VALUE};

use super::json;
use crate::dialect::sidekiq::Generation;
use crate::job::Job;

/// The names that every job needs, interned once. Symbols made this way are never collected.
pub(super) struct JobContext {
    variable: ID,
    jid: VALUE,
    class: VALUE,
    bid: VALUE,
    tags: VALUE,
    class_first: bool,
}

// SAFETY: IDs and static symbols are plain numbers, the same in every thread for ever.
unsafe impl Send for JobContext {}
// SAFETY: as above.
unsafe impl Sync for JobContext {}

impl JobContext {
    /// In the order in which `generation` builds it, which is the order of the log.
    pub(super) fn new(ruby: &Ruby, generation: Generation) -> Self {
        let symbol = |name| ruby.sym_new(name).as_raw();
        Self {
            variable: ruby.intern("sidekiq_context").as_raw(),
            jid: symbol("jid"),
            class: symbol("class"),
            bid: symbol("bid"),
            tags: symbol("tags"),
            class_first: !generation.logs_level_first(),
        }
    }

    /// Sets it for `job`, whose payload has an envelope, in the current thread.
    pub(super) fn set(&self, job: &Job) -> Result<(), Error> {
        let Some(envelope) = &job.envelope else {
            return Ok(());
        };
        let jid = job.text(envelope.jid.as_ref());
        let class = job.display_class().unwrap_or_default();
        let bid = envelope.bid.as_ref().map(|it| job.span(it));
        let tags = envelope.tags.as_ref().map(|it| job.span(it));
        // SAFETY: under protect and with the GVL; nothing in here would have to be dropped, and
        // `hash` is on the stack until the thread refers to it.
        protect(|| unsafe {
            let hash = rb_sys::rb_hash_new();
            if self.class_first {
                rb_sys::rb_hash_aset(hash, self.class, string(class));
            }
            if let Some(jid) = jid {
                rb_sys::rb_hash_aset(hash, self.jid, string(jid));
            }
            rb_sys::rb_hash_aset(hash, self.class, string(class));
            for (key, json) in [(self.bid, bid), (self.tags, tags)] {
                if let Some(value) = json.and_then(|it| json::read(it)) {
                    rb_sys::rb_hash_aset(hash, key, value);
                }
            }
            rb_sys::rb_thread_local_aset(rb_sys::rb_thread_current(), self.variable, hash)
        })?;
        Ok(())
    }
}

/// # Safety
///
/// With the GVL and under protect.
unsafe fn string(text: &str) -> VALUE {
    // SAFETY: the bytes are copied during the call.
    unsafe { rb_sys::rb_utf8_str_new(text.as_ptr().cast(), text.len() as _) }
}
