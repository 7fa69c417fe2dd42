//! The application's logger as it is now. The engine writes lines in its place, so it must look what became of
//! it: somebody may change its level, its formatter or where it writes to while jobs run, or extend one of them.

use magnus::rb_sys::{AsRawId, AsRawValue, FromRawValue, protect};
use magnus::{Error, RArray, RHash, Ruby, Value, prelude::*};
use rb_sys::{FIXNUM_P, ID, VALUE};

const INFO: i64 = 1;

/// Whose a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writer {
    /// It is below the logger's level.
    Nobody,
    /// The logger would write what the engine writes.
    Engine,
    /// The logger writes otherwise than at the start.
    Ruby,
}

/// See the module's text.
pub(super) struct Logger {
    logger: Part,
    formatter: Part,
    device: Part,
    io: Part,
    names: Names,
}

/// An object and its class. Who extends the object, or defines a method on it alone, gives it a class of its own.
struct Part {
    object: VALUE,
    class: VALUE,
}

impl Part {
    /// Both stay where they are for ever.
    fn new(ruby: &Ruby, object: Value) -> Self {
        let class = object.class();
        ruby.gc_register_mark_object(object);
        ruby.gc_register_mark_object(class);
        Self {
            object: object.as_raw(),
            class: class.as_raw(),
        }
    }

    /// Whether it is `object`, with the methods of its class alone.
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

/// Instance variables of Ruby's `Logger` and its device, a thread-local variable of Sidekiq's before 8, methods.
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
    /// `parts`: logger, formatter, device and IO as they are while the engine's lines are the logger's.
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

    /// Who writes a line of level INFO now. An error is an interruption of this thread.
    pub(super) fn writer(&self, ruby: &Ruby) -> Result<Writer, Error> {
        let mut writer = Writer::Ruby;
        let asked = protect(|| {
            // SAFETY: with the GVL and under protect; nothing in here would have to be dropped.
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
            // A closed IO: Ruby's logger knows what to say.
            Err(error) if error.is_kind_of(ruby.exception_io_error()) => Ok(Writer::Ruby),
            Err(error) => Err(error),
        }
    }

    /// What an IO that does not write at once keeps back must not be overtaken.
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

    /// In this thread. `None` when it is no number.
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

    /// Whether a thread may have a level of its own: Sidekiq's before 8, or those of Ruby's logger from 1.6 on.
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
