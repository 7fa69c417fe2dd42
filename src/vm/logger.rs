//! The application's logger as it is now. The engine writes lines in its place, so it must look what became of
//! it: somebody may change its level, its formatter or where it writes to while jobs run.

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
    logger: VALUE,
    formatter: VALUE,
    device: VALUE,
    io: VALUE,
    names: Names,
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
        for part in [logger, formatter, device, io] {
            ruby.gc_register_mark_object(part);
        }
        let id = |name| ruby.intern(name).as_raw();
        Ok(Self {
            logger: logger.as_raw(),
            formatter: formatter.as_raw(),
            device: device.as_raw(),
            io: io.as_raw(),
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
            rb_sys::rb_attr_get(self.logger, self.names.formatter) == self.formatter
                && rb_sys::rb_attr_get(self.logger, self.names.device) == self.device
                && rb_sys::rb_attr_get(self.device, self.names.io) == self.io
                && rb_sys::rb_funcallv(self.io, self.names.sync, 0, std::ptr::null())
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
                rb_sys::rb_funcallv(self.logger, self.names.ask_level, 0, std::ptr::null())
            } else {
                rb_sys::rb_attr_get(self.logger, self.names.level)
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
            let others = Value::from_raw(rb_sys::rb_attr_get(self.logger, self.names.override_of));
            let none = others.is_nil() || RHash::from_value(others).is_some_and(RHash::is_empty);
            here != rb_sys::Qnil as VALUE || !none
        }
    }
}
