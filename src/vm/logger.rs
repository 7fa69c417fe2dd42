//! The application's logger in its present state. The engine writes lines in its place, so it must notice changes:
//! the logger's level, formatter or destination may be replaced, or one of these objects extended, while jobs run.

use magnus::rb_sys::{AsRawId, AsRawValue, FromRawValue, protect};
use magnus::{Error, RArray, RHash, Ruby, Value, prelude::*};
use rb_sys::{FIXNUM_P, ID, VALUE};

const INFO: i64 = 1;

/// Who has to write a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writer {
    /// Nobody: it is below the logger's level.
    Nobody,
    /// The engine: the logger would write the same.
    Engine,
    /// The logger: it has changed since the start.
    Ruby,
}

/// The logger and its parts as they were at the start.
pub(super) struct Logger {
    logger: Part,
    formatter: Part,
    device: Part,
    io: Part,
    names: Names,
}

/// An object and its class. Extending the object, or defining a singleton method on it, gives it a class of its own.
struct Part {
    object: VALUE,
    class: VALUE,
}

impl Part {
    /// Marked objects are never collected nor moved.
    fn new(ruby: &Ruby, object: Value) -> Self {
        let class = object.class();
        ruby.gc_register_mark_object(object);
        ruby.gc_register_mark_object(class);
        Self {
            object: object.as_raw(),
            class: class.as_raw(),
        }
    }

    /// Whether it is `object`, and still has the class that it had.
    ///
    /// # Safety
    ///
    /// With the GVL.
    unsafe fn is(&self, object: VALUE) -> bool {
        // SAFETY: the object is marked for ever, and `new` was given one that has a class in memory (no number, no
        // symbol), so it begins with RBasic.
        object == self.object && unsafe { (*(object as *const rb_sys::RBasic)).klass } == self.class
    }
}

/// Names of instance variables of Ruby's `Logger` and its device, of a thread-local variable of Sidekiq before 8, and
/// of methods.
struct Names {
    formatter: ID,
    device: ID,
    io: ID,
    level: ID,
    override_of: ID,
    level_here: ID,
    ask_level: ID,
    sync: ID,
}

// SAFETY: the objects are marked for ever and are only used with the GVL.
unsafe impl Send for Logger {}
// SAFETY: as above.
unsafe impl Sync for Logger {}

impl Logger {
    /// `parts`: logger, formatter, device and IO. While they stay the same, the engine's lines are the logger's.
    pub(super) fn new(ruby: &Ruby, parts: RArray) -> Result<Self, Error> {
        let [logger, formatter, device, io]: [Value; 4] = parts.to_array()?;
        let part = |object| Part::new(ruby, object);
        let id = |name| ruby.intern(name).as_raw();
        Ok(Self {
            logger: part(logger),
            formatter: part(formatter),
            device: part(device),
            io: part(io),
            names: Names {
                formatter: id("@formatter"),
                device: id("@logdev"),
                io: id("@dev"),
                level: id("@level"),
                override_of: id("@level_override"),
                level_here: id("sidekiq_log_level"),
                ask_level: id("level"),
                sync: id("sync"),
            },
        })
    }

    /// Who has to write a line of level INFO now. An error is an interruption of this thread.
    pub(super) fn writer(&self, ruby: &Ruby) -> Result<Writer, Error> {
        let mut writer = Writer::Ruby;
        let asked = protect(|| {
            // SAFETY: with the GVL and under protect; nothing in here needs dropping.
            unsafe {
                if self.is_as_it_was() {
                    writer = match self.level() {
                        Some(level) if level > INFO => Writer::Nobody,
                        Some(_) => Writer::Engine,
                        None => Writer::Ruby,
                    };
                }
            }
            rb_sys::Qnil as VALUE
        });
        match asked {
            Ok(_) => Ok(writer),
            // A closed IO: Ruby's logger reports it in its own way.
            Err(error) if error.is_kind_of(ruby.exception_io_error()) => Ok(Writer::Ruby),
            Err(error) => Err(error),
        }
    }

    /// Whether nothing has changed since the start, and the IO writes at once: lines must not overtake what it buffers.
    ///
    /// # Safety
    ///
    /// With the GVL and under protect.
    unsafe fn is_as_it_was(&self) -> bool {
        // SAFETY: the caller's promise; the objects are marked for ever.
        unsafe {
            let logger = self.logger.object;
            let part = |of: &Part, name| rb_sys::rb_attr_get(of.object, name);
            self.logger.is(logger)
                && self.formatter.is(part(&self.logger, self.names.formatter))
                && self.device.is(part(&self.logger, self.names.device))
                && self.io.is(part(&self.device, self.names.io))
                && rb_sys::rb_funcallv(self.io.object, self.names.sync, 0, std::ptr::null())
                    == rb_sys::Qtrue as VALUE
        }
    }

    /// The level in this thread. `None` when it is not a number.
    ///
    /// # Safety
    ///
    /// With the GVL and under protect.
    unsafe fn level(&self) -> Option<i64> {
        // SAFETY: the caller's promise; the objects are marked for ever.
        unsafe {
            let level = if self.differs_by_thread() {
                rb_sys::rb_funcallv(
                    self.logger.object,
                    self.names.ask_level,
                    0,
                    std::ptr::null(),
                )
            } else {
                rb_sys::rb_attr_get(self.logger.object, self.names.level)
            };
            FIXNUM_P(level).then(|| rb_sys::FIX2LONG(level) as i64)
        }
    }

    /// Whether this thread may have a level of its own: by Sidekiq before 8, or by Ruby's logger from 1.6 on.
    ///
    /// # Safety
    ///
    /// With the GVL and under protect.
    unsafe fn differs_by_thread(&self) -> bool {
        // SAFETY: the caller's promise; the objects are marked for ever.
        unsafe {
            let here =
                rb_sys::rb_thread_local_aref(rb_sys::rb_thread_current(), self.names.level_here);
            let others = Value::from_raw(rb_sys::rb_attr_get(
                self.logger.object,
                self.names.override_of,
            ));
            let none = others.is_nil() || RHash::from_value(others).is_some_and(RHash::is_empty);
            here != rb_sys::Qnil as VALUE || !none
        }
    }
}
