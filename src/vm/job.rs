//! `Footplate::Native::Job`: a claimed job as Ruby's processor sees it. Ruby decides, and hands in
//! exactly one outcome; the dialect determines what is written.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Instant;

use magnus::rb_sys::FromRawValue;
use magnus::{
    DataTypeFunctions, Error, IntoValue, RModule, RString, Ruby, Symbol, Value, gc, method,
    prelude::*,
};

use super::context::Entered;
use super::errors;
use super::joblog::Moment;
use super::json;
use super::logger::Writer;
use super::process::Process;
use crate::dialect::{Backtrace, Failing, Plan, Raised, Verdict};
use crate::job::{Ended, Job, Measure, Outcome};

/// One run of a claimed job. It is settled once, by its first outcome.
#[derive(magnus::TypedData)]
#[magnus(class = "Footplate::Native::Job", free_immediately, mark)]
pub(super) struct RubyJob {
    process: Arc<Process>,
    job: Arc<Job>,
    tid: Arc<str>,
    started: Instant,
    announced: Cell<bool>,
    /// Whether the engine writes its log lines; `None` until that is asked.
    logged: Cell<Option<bool>>,
    context: Cell<Option<Entered>>,
    settled: Cell<bool>,
    failed: Cell<bool>,
    measure: RefCell<Measure>,
    plan: RefCell<Option<Plan>>,
}

/// What a recorded failure leads to, while its plan is kept here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recorded {
    /// The job is stored nowhere.
    Ignored,
    /// No retries are left.
    Exhausted,
    /// It is to be retried, unless the application says otherwise.
    Retry,
}

impl Recorded {
    /// Ruby's symbol.
    fn name(self) -> &'static str {
        match self {
            Self::Ignored => "ignored",
            Self::Exhausted => "exhausted",
            Self::Retry => "retry",
        }
    }
}

impl RubyJob {
    pub(super) fn new(
        process: &Arc<Process>,
        job: &Arc<Job>,
        tid: &Arc<str>,
        started: Instant,
    ) -> Self {
        Self {
            process: Arc::clone(process),
            job: Arc::clone(job),
            tid: Arc::clone(tid),
            started,
            announced: Cell::new(false),
            logged: Cell::new(None),
            context: Cell::new(None),
            settled: Cell::new(false),
            failed: Cell::new(false),
            measure: RefCell::new(Measure::Nothing),
            plan: RefCell::new(None),
        }
    }

    /// With the `start` line already taken care of by the native path.
    pub(super) fn announced(self) -> Self {
        self.announced.set(true);
        self.logged.set(Some(true));
        self
    }

    pub(super) fn measured_as(&self, measure: Measure) {
        *self.measure.borrow_mut() = measure;
    }

    /// An instance was made: from here on the job counts in the metrics of `class`.
    fn reached(&self, class: Value) {
        let unread = self.job.envelope.is_none();
        let named = unread.then(|| String::try_convert(class).ok()).flatten();
        self.measured_as(named.map_or(Measure::Class, Measure::Named));
    }

    pub(super) fn is_settled(&self) -> bool {
        self.settled.get()
    }

    /// Whether it was handed in as anything but a success.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.get()
    }

    fn payload(ruby: &Ruby, this: &Self) -> RString {
        ruby.enc_str_new(&this.job.payload, ruby.utf8_encoding())
    }

    /// The payload as `JSON.parse` would return it. `None` if that needs Ruby's own parser.
    fn decoded(&self) -> Result<Option<Value>, Error> {
        if self.job.envelope.is_none() {
            return Ok(None);
        }
        json::parse(&self.job.payload)
    }

    /// Sets the context that the job's log lines carry.
    fn enter_context(&self) -> Result<(), Error> {
        self.context.set(self.process.context.set(&self.job)?);
        Ok(())
    }

    /// Whether the engine writes this job's log lines: it can, and the logger would write the same. The answer stays
    /// the same for the whole job.
    fn is_logged(ruby: &Ruby, this: &Self) -> Result<bool, Error> {
        if let Some(logged) = this.logged.get() {
            return Ok(logged);
        }
        let log = this.process.job_log.as_ref().filter(|_| this.is_plain());
        let logged = match log {
            Some(log) => log.logger.writer(ruby)? != Writer::Ruby,
            None => false,
        };
        this.logged.set(Some(logged));
        Ok(logged)
    }

    fn queue(&self) -> &str {
        &self.job.queue.name
    }

    fn log_start(ruby: &Ruby, this: &Self) -> Result<(), Error> {
        if !this.announced.replace(true) {
            this.log(ruby, Moment::Start)?;
        }
        Ok(())
    }

    /// Whether the last line is dealt with: written, or not wanted. If not, Ruby must write it, because something has
    /// changed while the job ran.
    fn log_end(ruby: &Ruby, this: &Self, done: bool) -> Result<bool, Error> {
        let context = this.context.get();
        if !context.is_none_or(|it| this.process.context.is_as_entered(&it)) {
            return Ok(false);
        }
        let elapsed = this.elapsed();
        this.log(
            ruby,
            if done {
                Moment::Done(elapsed)
            } else {
                Moment::Fail(elapsed)
            },
        )
    }

    fn log(&self, ruby: &Ruby, moment: Moment) -> Result<bool, Error> {
        let Some(log) = &self.process.job_log else {
            return Ok(false);
        };
        let writer = log.logger.writer(ruby)?;
        if writer == Writer::Engine {
            log.line(&self.job, &self.tid, moment);
        }
        Ok(writer != Writer::Ruby)
    }

    pub(super) fn job(&self) -> &Job {
        &self.job
    }

    pub(super) fn elapsed(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    fn done(&self) {
        self.settle(Outcome::Done, true);
    }

    fn skipped(&self) {
        self.settle(Outcome::Failed, true);
    }

    fn dropped(&self) {
        self.settle(Outcome::Failed, false);
    }

    /// Returns the job to its queue, because the process ends.
    pub(super) fn interrupted(&self) {
        self.settle(Outcome::Interrupted, false);
    }

    fn returned(&self) {
        self.settle(Outcome::Returned, false);
    }

    /// Stores the payload in the dead set as it is.
    pub(super) fn malformed(&self) {
        self.settle(Outcome::Malformed, false);
    }

    fn requeued(&self, payload: RString) {
        let payload = bytes(payload);
        self.settle(Outcome::Requeued { payload }, true);
    }

    /// How many backtrace lines the payload asks for: nil, a number, or true for all.
    fn backtrace(ruby: &Ruby, this: &Self) -> Result<Value, Error> {
        let failing = this.failing().map_err(|it| errors::runtime(ruby, it))?;
        Ok(match failing.wants_backtrace {
            None => ruby.qnil().as_value(),
            Some(Backtrace::All) => ruby.qtrue().as_value(),
            Some(Backtrace::Lines(count)) => count.into_value_with(ruby),
        })
    }

    /// Whether the payload leaves the number of retries to the job's class.
    fn asks_class(ruby: &Ruby, this: &Self) -> Result<bool, Error> {
        let failing = this.failing().map_err(|it| errors::runtime(ruby, it))?;
        Ok(failing.asks_class())
    }

    /// Records the failure and returns `:ignored`, `:exhausted` or `:retry`. The class's `retry` and the backtrace are
    /// passed as JSON.
    fn fail(
        ruby: &Ruby,
        this: &Self,
        class: Option<RString>,
        message: RString,
        backtrace: Option<RString>,
        class_retry: Option<RString>,
    ) -> Result<Symbol, Error> {
        let [class, backtrace, class_retry] =
            [class, backtrace, class_retry].map(|it| it.map(bytes));
        let raised = Raised {
            class: class.as_deref(),
            message: &bytes(message),
            backtrace: backtrace.as_deref(),
        };
        this.record(&raised, class_retry.as_deref())
            .map(|it| ruby.to_symbol(it.name()))
            .map_err(|it| errors::runtime(ruby, it))
    }

    pub(super) fn record(
        &self,
        raised: &Raised<'_>,
        class_retry: Option<&[u8]>,
    ) -> Result<Recorded, String> {
        let now = self.process.shared.clock.now();
        let (recorded, plan) = match self.failing()?.record(raised, class_retry, now) {
            Verdict::Ignored => (Recorded::Ignored, None),
            Verdict::Exhausted(plan) => (Recorded::Exhausted, Some(plan)),
            Verdict::Ask(plan) => (Recorded::Retry, Some(plan)),
        };
        *self.plan.borrow_mut() = plan;
        Ok(recorded)
    }

    fn failing(&self) -> Result<Failing<'_>, String> {
        let queue = &self.job.queue;
        let dialect = self.process.shared.settings.dialect(queue);
        let failing = dialect.failing(&self.job.payload, &queue.name);
        failing.map_err(|it| it.to_string())
    }

    /// The payload with the failure written in.
    fn failed_payload(ruby: &Ruby, this: &Self) -> Option<RString> {
        let plan = this.plan.borrow();
        let payload = plan.as_ref()?.payload();
        Some(ruby.enc_str_new(payload, ruby.utf8_encoding()))
    }

    /// The payload for the death handlers of a job that is stored nowhere.
    fn discarded_payload(ruby: &Ruby, this: &Self) -> Option<RString> {
        let plan = this.plan.borrow();
        let payload = plan.as_ref()?.discarded(this.process.shared.clock.now());
        Some(ruby.enc_str_new(&payload, ruby.utf8_encoding()))
    }

    /// The wrapped class whose blocks are to be asked instead of the job class's.
    fn wrapped(ruby: &Ruby, this: &Self) -> Result<Option<String>, Error> {
        let failing = this.failing().map_err(|it| errors::runtime(ruby, it))?;
        Ok(failing.wrapped().map(str::to_owned))
    }

    /// Whether the engine can write this job's log lines: it could read the payload, which asks for nothing special.
    fn is_plain(&self) -> bool {
        self.job.envelope.as_ref().is_some_and(|it| !it.special)
    }

    /// Stores the retry, `delay` seconds from now or, with nil, by the default formula.
    pub(super) fn retry(&self, delay: Option<f64>) {
        let now = self.process.shared.clock.now();
        let random = &mut |below: u32| fastrand::u32(..below.max(1));
        let outcome = self.plan.take().map(|plan| Outcome::Retry {
            at: plan.retry_at(delay, now, random),
            payload: plan.into_payload(),
        });
        self.settle(outcome.unwrap_or(Outcome::Failed), false);
    }

    /// Stores the job in the dead set, unless its payload says `dead: false`.
    pub(super) fn bury(&self) {
        let outcome = match self.plan.take() {
            Some(plan) if plan.goes_to_dead_set() => Outcome::Dead {
                payload: plan.into_payload(),
            },
            _ => Outcome::Failed,
        };
        self.settle(outcome, false);
    }

    /// Whether [`Self::bury`] would store it.
    fn dead(&self) -> bool {
        self.plan
            .borrow()
            .as_ref()
            .is_some_and(Plan::goes_to_dead_set)
    }

    fn settle(&self, outcome: Outcome, timed: bool) {
        // A job that forks ends twice; only its end in the parent counts.
        if self.settled.replace(true) || !self.process.is_own() {
            return;
        }
        self.failed.set(!matches!(outcome, Outcome::Done));
        self.process.shared.settlements.push(Ended {
            job: Arc::clone(&self.job),
            outcome,
            elapsed: timed.then(|| self.elapsed() * 1_000.0),
            measure: self.measure.replace(Measure::Nothing),
        });
    }

    fn settled(&self) -> bool {
        self.settled.get()
    }

    /// Whether the caller runs in a child that the job forked, where the job cannot be settled.
    fn forked(&self) -> bool {
        !self.process.is_own()
    }
}

impl DataTypeFunctions for RubyJob {
    fn mark(&self, marker: &gc::Marker) {
        if let Some(entered) = self.context.get() {
            // SAFETY: alive, because it has been marked here since it was set.
            marker.mark(unsafe { Value::from_raw(entered.hash) });
        }
    }
}

fn bytes(string: RString) -> Vec<u8> {
    // SAFETY: copied before anything else can run.
    unsafe { string.as_slice() }.to_vec()
}

pub(super) fn define(ruby: &Ruby, native: RModule) -> Result<(), Error> {
    let class = native.define_class("Job", ruby.class_object())?;
    class.undef_default_alloc_func();
    class.define_method("payload", method!(RubyJob::payload, 0))?;
    class.define_method("decoded", method!(RubyJob::decoded, 0))?;
    class.define_method("enter_context", method!(RubyJob::enter_context, 0))?;
    class.define_method("queue", method!(RubyJob::queue, 0))?;
    class.define_method("reached", method!(RubyJob::reached, 1))?;
    class.define_method("log?", method!(RubyJob::is_logged, 0))?;
    class.define_method("log_start", method!(RubyJob::log_start, 0))?;
    class.define_method("log_end", method!(RubyJob::log_end, 1))?;
    class.define_method("elapsed", method!(RubyJob::elapsed, 0))?;
    class.define_method("done", method!(RubyJob::done, 0))?;
    class.define_method("skipped", method!(RubyJob::skipped, 0))?;
    class.define_method("dropped", method!(RubyJob::dropped, 0))?;
    class.define_method("interrupted", method!(RubyJob::interrupted, 0))?;
    class.define_method("returned", method!(RubyJob::returned, 0))?;
    class.define_method("malformed", method!(RubyJob::malformed, 0))?;
    class.define_method("requeued", method!(RubyJob::requeued, 1))?;
    class.define_method("backtrace", method!(RubyJob::backtrace, 0))?;
    class.define_method("asks_class?", method!(RubyJob::asks_class, 0))?;
    class.define_method("fail", method!(RubyJob::fail, 4))?;
    class.define_method("failed_payload", method!(RubyJob::failed_payload, 0))?;
    class.define_method("discarded_payload", method!(RubyJob::discarded_payload, 0))?;
    class.define_method("wrapped", method!(RubyJob::wrapped, 0))?;
    class.define_method("retry", method!(RubyJob::retry, 1))?;
    class.define_method("bury", method!(RubyJob::bury, 0))?;
    class.define_method("dead?", method!(RubyJob::dead, 0))?;
    class.define_method("settled?", method!(RubyJob::settled, 0))?;
    class.define_method("forked?", method!(RubyJob::forked, 0))?;
    Ok(())
}
