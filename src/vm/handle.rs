//! `Footplate::Native::Engine`: an engine as a Ruby object.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use magnus::{Error, RArray, RModule, Ruby, Value, function, method, prelude::*, typed_data};

use super::errors;
use super::gvl::uninterrupted;
use super::joblog::JobLog;
use super::logger::Logger;
use super::process::Process;
use super::renewal::Succession;
use super::worker::Worker;
use super::{channels, sched, trace};
use crate::config::Config;
use crate::dialect::Style;
use crate::engine::{self, Engine, Settings};
use crate::job::Measure;

/// The Ruby object. In a forked child, where the engine's thread does not exist, it answers calls with an
/// error and `stopping?` with true; dropping it there touches nothing but memory.
#[magnus::wrap(class = "Footplate::Native::Engine", free_immediately)]
pub(super) struct Handle {
    engine: Engine,
    process: Arc<Process>,
}

impl Handle {
    /// Starts an engine from the resolved configuration (JSON). When it cannot, raises `Footplate::Error` (or, if that
    /// class is not defined, `RuntimeError`) with one sentence. `logger`: see [`Logger::new`]; none when the engine is
    /// not to write the job log.
    fn start(ruby: &Ruby, json: String, logger: Option<RArray>) -> Result<Self, Error> {
        let (settings, job_log) = read(ruby, &json)?;
        let logger = logger.map(|it| Logger::new(ruby, it)).transpose()?;
        let job_log = job_log
            .zip(logger)
            .map(|((fd, style), logger)| JobLog::new(logger, fd, style, settings.version));
        let started = patiently(ruby, || Engine::start(settings.clone(), sched::give_way))?;
        let engine = started.map_err(|it| errors::runtime(ruby, it))?;
        trace::listen(engine.shared());
        let process = Arc::new(Process::of(ruby, engine.shared(), job_log));
        Ok(Self { engine, process })
    }

    /// Raises what [`Self::start`] would raise, but starts nothing. Returns what the start would warn of, if anything.
    fn check(ruby: &Ruby, json: String) -> Result<Option<String>, Error> {
        let (settings, _) = read(ruby, &json)?;
        let checked = patiently(ruby, || engine::check(&settings))?;
        let unserved = checked.map_err(|it| errors::runtime(ruby, it))?;
        Ok(unserved.map(|it| it.to_string()))
    }

    fn own(&self, ruby: &Ruby) -> Result<&Engine, Error> {
        if self.engine.is_own_process() {
            return Ok(&self.engine);
        }
        Err(errors::runtime(
            ruby,
            "this engine belongs to the parent process: a forked child must start its own",
        ))
    }

    /// The life of a worker thread. Returns when its capsule has closed.
    fn work(
        ruby: &Ruby,
        this: typed_data::Obj<Self>,
        capsule: usize,
        slot: usize,
        tid: String,
        processor: Value,
        state: Value,
    ) -> Result<(), Error> {
        this.own(ruby)?;
        let measured: bool = processor.funcall("measured?", ())?;
        let worker = Worker {
            process: Arc::clone(&this.process),
            capsule,
            slot,
            tid: tid.into(),
            native: processor.funcall("native?", ())?,
            middleware: processor.funcall("middleware?", ())?,
            measure: if measured {
                Measure::Class
            } else {
                Measure::Nothing
            },
            silent: processor.funcall("silent?", ())?,
            processor,
            state,
            writer: Cell::new(None),
            lines: RefCell::default(),
            succession: Succession::of(&this.process.renewals),
        };
        worker.run(ruby)
    }

    /// Has the kept threads replaced, those in which a failed job may have left something (see `renewal`), even if they
    /// sleep.
    fn renew_kept(ruby: &Ruby, this: &Self) -> Result<(), Error> {
        this.own(ruby)?;
        if this.process.renewals.call() {
            for capsule in &this.process.shared.capsules {
                capsule.ready.rouse();
            }
        }
        Ok(())
    }

    fn await_control(ruby: &Ruby, this: &Self) -> Result<bool, Error> {
        channels::await_message(ruby, &this.process.shared.control)
    }

    fn control(ruby: &Ruby, this: &Self) -> Option<RArray> {
        channels::control(ruby, &this.process.shared.control)
    }

    fn each_due(ruby: &Ruby, this: &Self) -> Result<(), Error> {
        channels::each_due(ruby, &this.process.shared.due)
    }

    fn quiet(ruby: &Ruby, this: &Self) -> Result<(), Error> {
        this.own(ruby)?.quiet();
        Ok(())
    }

    fn busy(&self) -> usize {
        self.process.shared.busy.count()
    }

    /// The running jobs: thread id, queue, payload, and start in epoch seconds.
    fn running(ruby: &Ruby, this: &Self) -> Result<RArray, Error> {
        this.own(ruby)?;
        let array = ruby.ary_new();
        for (tid, it) in this.process.shared.busy.snapshot() {
            let payload = ruby.enc_str_new(&it.job.payload, ruby.utf8_encoding());
            array.push((tid, it.job.queue.name.as_str(), payload, it.since))?;
        }
        Ok(array)
    }

    /// Whether the engine takes no new jobs, for `interrupted?` and `stopping?`. In a forked child it
    /// never takes any.
    fn stopping(&self) -> bool {
        !self.process.is_own() || self.process.shared.phase.now() != crate::engine::Phase::Running
    }

    /// Whether the caller runs in a child of the process that started the engine.
    fn forked(&self) -> bool {
        !self.process.is_own()
    }

    fn finish(ruby: &Ruby, this: &Self) -> Result<(), Error> {
        this.own(ruby)?.finish();
        Ok(())
    }

    /// The number of jobs whose outcome Redis does not know yet.
    fn unsettled(&self) -> usize {
        self.process.shared.unsettled()
    }

    /// Waits up to `seconds` for the engine to end after [`Self::finish`]. Returns whether it has.
    fn wait_ended(ruby: &Ruby, this: &Self, seconds: f64) -> Result<bool, Error> {
        let engine = this.own(ruby)?;
        let limit = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO);
        let ended = uninterrupted(|| engine.wait_ended(limit));
        ruby.thread_check_ints()?;
        Ok(ended.unwrap_or(false))
    }
}

fn read(ruby: &Ruby, json: &str) -> Result<(Settings, Option<(i32, Style)>), Error> {
    let config = Config::from_json(json).map_err(|it| errors::runtime(ruby, it))?;
    let job_log = config.job_log();
    let settings = config.into_settings();
    let settings = settings.map_err(|it| errors::runtime(ruby, it))?;
    Ok((settings, job_log))
}

/// Runs `work` without the GVL, once no interrupt is pending.
fn patiently<R: Send>(ruby: &Ruby, work: impl Fn() -> R + Sync) -> Result<R, Error> {
    loop {
        if let Some(result) = uninterrupted(&work) {
            return Ok(result);
        }
        ruby.thread_check_ints()?;
    }
}

pub(super) fn define(ruby: &Ruby, native: RModule) -> Result<(), Error> {
    let class = native.define_class("Engine", ruby.class_object())?;
    class.undef_default_alloc_func();
    class.define_singleton_method("start", function!(Handle::start, 2))?;
    class.define_singleton_method("check", function!(Handle::check, 1))?;
    class.define_method("work", method!(Handle::work, 5))?;
    class.define_method("renew_kept", method!(Handle::renew_kept, 0))?;
    class.define_method("quiet", method!(Handle::quiet, 0))?;
    class.define_method("busy", method!(Handle::busy, 0))?;
    class.define_method("running", method!(Handle::running, 0))?;
    class.define_method("stopping?", method!(Handle::stopping, 0))?;
    class.define_method("forked?", method!(Handle::forked, 0))?;
    class.define_method("finish", method!(Handle::finish, 0))?;
    class.define_method("unsettled", method!(Handle::unsettled, 0))?;
    class.define_method("wait_ended", method!(Handle::wait_ended, 1))?;
    class.define_method("await_control", method!(Handle::await_control, 0))?;
    class.define_method("control", method!(Handle::control, 0))?;
    class.define_method("each_due", method!(Handle::each_due, 0))?;
    Ok(())
}
