//! The native path: constant, `new`, `jid=`, `perform`, with one `protect` around all of it. It is taken
//! when nothing in the application wraps the job, or only middleware does; otherwise Ruby's processor
//! runs the job.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use magnus::rb_sys::{AsRawId, AsRawValue, FromRawValue, protect};
use magnus::{Error, RClass, Ruby, Value, prelude::*};
use rb_sys::{ID, VALUE};

use super::context::{JobContext, string};
use super::json::{self, Args};
use crate::job::{Envelope, Job};

/// What is known about a job class. The class is never collected nor moved.
#[derive(Clone, Copy)]
pub(super) struct JobClass {
    class: VALUE,
    /// Its name as payloads spell it; frozen, and shared by all jobs.
    name: VALUE,
    takes_context: bool,
}

// SAFETY: both are marked for ever; the values are only used with the GVL.
unsafe impl Send for JobClass {}

/// Job classes by name, kept only while the application does not reload code.
#[derive(Default)]
pub(super) struct Classes {
    known: Mutex<HashMap<Box<[u8]>, JobClass>>,
}

impl Classes {
    pub(super) fn get(&self, name: &[u8]) -> Option<JobClass> {
        self.lock().get(name).copied()
    }

    /// Remembers what `name` stands for: mostly a class, but perhaps an object without `new`.
    pub(super) fn remember(
        &self,
        ruby: &Ruby,
        name: &[u8],
        class: Value,
        set_context: ID,
    ) -> JobClass {
        let shown = ruby.enc_str_new(name, ruby.utf8_encoding());
        shown.freeze();
        ruby.gc_register_mark_object(class);
        ruby.gc_register_mark_object(shown);
        let found = JobClass {
            class: class.as_raw(),
            name: shown.as_raw(),
            // SAFETY: with the GVL, and asked of classes only.
            takes_context: RClass::from_value(class).is_some_and(
                |it| unsafe { rb_sys::rb_method_boundp(it.as_raw(), set_context, 0) } != 0,
            ),
        };
        self.lock().insert(name.into(), found);
        found
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Box<[u8]>, JobClass>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How the native path ended.
pub(super) enum Performed {
    /// It returned. Whether the log's context is as it was.
    Done(bool),
    /// Its arguments need Ruby's parser; nothing was run.
    NeedsRuby,
    /// It raised; the instance and the payload's hash, if there were any by then; whether the log's
    /// context is as it was.
    Raised(Error, Option<Value>, Option<Value>, bool),
}

/// Method names, interned for ever, before there are workers and not at first use: interning runs Ruby,
/// which may hand the GVL to a worker that would then wait, with the GVL held, for the interning to end.
#[derive(Clone, Copy)]
pub(super) struct MethodNames {
    new: ID,
    set_jid: ID,
    pub(super) set_context: ID,
    perform: ID,
    around: ID,
}

impl MethodNames {
    pub(super) fn new(ruby: &Ruby) -> Self {
        let id = |name| ruby.intern(name).as_raw();
        Self {
            new: id("new"),
            set_jid: id("jid="),
            set_context: id("_context="),
            perform: id("perform"),
            around: id("around"),
        }
    }
}

/// `Footplate::Server::Processor`, as the native path sees it.
#[derive(Clone, Copy)]
pub(super) struct Surroundings {
    /// Jobs ask it whether they are interrupted, and it calls them if there is middleware.
    pub(super) processor: Value,
    /// Whether there is middleware.
    pub(super) middleware: bool,
}

/// Runs `job` as an instance of `class` in the log's context.
pub(super) fn perform(
    ids: MethodNames,
    context: &JobContext,
    job: &Job,
    envelope: &Envelope,
    class: JobClass,
    around: Surroundings,
) -> Performed {
    let nil = rb_sys::Qnil as VALUE;
    let (mut instance, mut payload) = (nil, nil);
    let mut args = Args::EMPTY;
    let mut readable = false;
    let mut entered = None;
    let processor = around.processor.as_raw();
    let result = protect(|| {
        // SAFETY: with the GVL and under protect; nothing in this closure owns anything that a
        // Ruby exception would have to drop, and every value stands on this thread's stack.
        unsafe {
            if around.middleware {
                payload = json::read(&job.payload).unwrap_or(nil);
                readable = payload != nil;
            } else {
                readable = args.read(job.span(&envelope.args));
            }
            if !readable {
                return nil;
            }
            let jid = string(job.text(envelope.jid.as_ref()));
            let shown = match &envelope.wrapped {
                Some(wrapped) => string(job.text(Some(wrapped))),
                None => class.name,
            };
            entered = Some(context.enter(job, envelope, jid, shown));
            instance = rb_sys::rb_funcallv_public(class.class, ids.new, 0, std::ptr::null());
            rb_sys::rb_funcallv_public(instance, ids.set_jid, 1, &raw const jid);
            if class.takes_context {
                rb_sys::rb_funcallv_public(instance, ids.set_context, 1, &raw const processor);
            }
            if around.middleware {
                let args = [instance, payload, string(Some(&job.queue.name))];
                return rb_sys::rb_funcallv_public(processor, ids.around, 3, args.as_ptr());
            }
            let args = args.as_slice();
            rb_sys::rb_funcallv_public(instance, ids.perform, args.len() as _, args.as_ptr())
        }
    });
    let untouched = entered.is_none_or(|it| context.is_as_entered(&it));
    match result {
        Ok(_) if readable => Performed::Done(untouched),
        Ok(_) => Performed::NeedsRuby,
        Err(error) => {
            // SAFETY: objects that this frame still holds, or nil.
            let [instance, payload] = [instance, payload].map(|it| unsafe { Value::from_raw(it) });
            let some = |it: Value| (!it.is_nil()).then_some(it);
            Performed::Raised(error, some(instance), some(payload), untouched)
        }
    }
}
