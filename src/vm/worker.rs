//! The loop of a worker thread: take, perform, hand in, and sleep when there is nothing.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use magnus::{Error, Ruby, Value, prelude::*};

use super::errors;
use super::gvl::{self, without_gvl};
use super::job::RubyJob;
use super::joblog::{JobLog, Moment};
use super::killed;
use super::logger::Writer;
use super::perform::{JobClass, Performed, Surroundings, perform};
use super::process::Process;
use super::renewal::Succession;
use crate::engine::ready::{Ready, Take};
use crate::engine::sync::Parker;
use crate::engine::turn::Turn;
use crate::job::{Ended, Job, Measure, Outcome};

/// What is logged about a job during which this bridge itself broke.
const PANIC: &str = "Footplate panicked while it ran a job; standard error has the details";

/// How a job's run ended.
enum End {
    /// It returned on the native path, and is still to be handed in. Whether the log's context is as it was.
    Returned(bool),
    /// It was handed in, as a success.
    HandedIn,
    /// It was handed in, as anything else.
    Failed,
}

/// A job's run.
#[derive(Clone, Copy)]
struct Run {
    ended: Instant,
    failed: bool,
}

/// One worker thread.
pub(super) struct Worker {
    pub(super) process: Arc<Process>,
    pub(super) capsule: usize,
    pub(super) slot: usize,
    pub(super) tid: Arc<str>,
    /// The application's `Footplate::Server::Processor`. On the stack of [`Worker::run`]'s caller.
    pub(super) processor: Value,
    /// What this thread carried before its first job: `Footplate::Server::ThreadState`. On the stack, too.
    pub(super) state: Value,
    /// Whether there is middleware on the native path.
    pub(super) middleware: bool,
    /// Whether jobs count in the metrics of their class.
    pub(super) measure: Measure,
    /// Whether jobs leave no lines in the log, whatever the logger's level.
    pub(super) silent: bool,
    /// Whether jobs may take the native path.
    pub(super) native: bool,
    /// Who writes the log's lines, as long as nothing has run in Ruby that could have changed that.
    pub(super) writer: Cell<Option<Writer>>,
    /// Log lines to be written before anything else happens in this thread: the last line of a job, which
    /// mostly shares a write with the first line of the next.
    pub(super) lines: RefCell<Vec<u8>>,
    pub(super) succession: Succession,
}

impl Worker {
    /// Runs until the capsule closes. An error ends the thread: Ruby killed it, or raised in it
    /// while it ran no job.
    pub(super) fn run(&self, ruby: &Ruby) -> Result<(), Error> {
        let result = self.serve(ruby);
        self.leave_job();
        result
    }

    fn serve(&self, ruby: &Ruby) -> Result<(), Error> {
        let shared = Arc::clone(&self.process.shared);
        shared.busy.name(self.slot, self.tid.to_string());
        let ready = self.ready();
        let parker = Arc::new(Parker::default());
        let priority: i32 = ruby.thread_current().funcall("priority", ())?;
        let mut turn = Turn::after(Duration::ZERO, priority);
        let mut finished = false;
        loop {
            match ready.take(finished) {
                Take::Job(job) => {
                    let result = self.work(ruby, &job);
                    if !self.process.is_own() {
                        // The job forked, and this is the child, where it returned too. It must not take the
                        // parent's jobs: this thread ends, and with it the child, as Ruby ends a process.
                        return result.map(drop);
                    }
                    let run = result.inspect_err(|_| ready.leave())?;
                    if self.is_spent(run.failed) {
                        ready.leave();
                        self.write_log();
                        return Ok(());
                    }
                    finished = true;
                    // Jobs of all capsules of this process; this worker's own job is not among them any more.
                    if turn.is_over(run.ended, || shared.busy.count() > 0) {
                        finished = false;
                        let waited = self.pass_on(ruby, &parker)?;
                        turn = Turn::after(waited, priority);
                    }
                }
                Take::Empty if !self.is_spent(false) => {
                    finished = false;
                    let waited = self.sleep(ruby, &parker)?;
                    if self.is_spent(false) {
                        return Ok(());
                    }
                    turn = Turn::after(waited, priority);
                }
                Take::Empty | Take::Closed => {
                    self.write_log();
                    return Ok(());
                }
            }
        }
    }

    /// Whether another thread is to go on: what a failed job has left in this one must not reach the next job.
    fn is_spent(&self, failed: bool) -> bool {
        if failed {
            // Sidekiq's loggers leave an empty context wherever they write a line.
            self.process.context.leave();
        }
        let changed = || self.state.funcall("changed?", ()).unwrap_or(true);
        self.succession.is_due(failed, changed)
    }

    fn ready(&self) -> &Ready<Arc<Job>> {
        &self.process.shared.capsules[self.capsule].ready
    }

    /// This worker's quantum of the GVL is over: threads that wait for the GVL go first. Returns how long it took to get
    /// it back; an error is an interruption.
    fn pass_on(&self, ruby: &Ruby, parker: &Arc<Parker>) -> Result<Duration, Error> {
        let ready = self.ready();
        self.leave_job();
        self.write_log();
        let Some(candidate) = ready.end_turn() else {
            return self.sleep(ruby, parker);
        };
        let gave_up = Instant::now();
        let interrupted = gvl::pass_on(ruby);
        let waited = gave_up.elapsed();
        ready.arrive(candidate, interrupted.is_ok());
        interrupted.map(|()| waited)
    }

    /// Releases the GVL until there may be a job for this worker. Returns how long it then took to get the GVL back; an
    /// error is an interruption.
    fn sleep(&self, ruby: &Ruby, parker: &Arc<Parker>) -> Result<Duration, Error> {
        let ready = self.ready();
        self.leave_job();
        self.write_log();
        let parked = without_gvl(parker, || (ready.park(parker), Instant::now()));
        let waited = parked.map_or(Duration::ZERO, |(_, woken)| woken.elapsed());
        let interrupted = ruby.thread_check_ints();
        if let Some((parked, _)) = parked {
            ready.arrive(parked, interrupted.is_ok());
        }
        interrupted.map(|()| waited)
    }

    /// From here on no job logs in this thread, and other threads may change the logger. Not called after each job,
    /// because the next one mostly follows at once.
    fn leave_job(&self) {
        self.writer.set(None);
        self.process.context.leave();
    }

    /// Runs one job and sees that it is handed in, whatever happens.
    fn work(&self, ruby: &Ruby, job: &Arc<Job>) -> Result<Run, Error> {
        let process = &self.process;
        let started = Instant::now();
        let run = |ended, failed| Run { ended, failed };
        if !process.shared.tenure.may_start(job.epoch, started) {
            // The lease is over. It goes back if it is still ours; if not, another process has it already.
            process.shared.settlements.push(Ended {
                job: Arc::clone(job),
                outcome: Outcome::Returned,
                elapsed: None,
                measure: Measure::Nothing,
            });
            return Ok(run(started, false));
        }
        process
            .shared
            .busy
            .start(self.slot, Arc::clone(job), started);
        let result = catch_unwind(AssertUnwindSafe(|| self.dispatch(ruby, job, started)));
        if !process.is_own() {
            return result.map_or(Ok(run(started, false)), |it| {
                it.map(|_| run(started, false))
            });
        }
        let ended = Instant::now();
        let elapsed = ended.duration_since(started);
        process.shared.capsules[self.capsule].add_run(elapsed);
        let result = match result {
            Ok(Ok(End::Returned(untouched))) => {
                let elapsed = elapsed.as_secs_f64();
                process.shared.settlements.push(Ended {
                    job: Arc::clone(job),
                    outcome: Outcome::Done,
                    elapsed: Some(elapsed * 1_000.0),
                    measure: self.measure.clone(),
                });
                self.end_log(ruby, job, Moment::Done(elapsed), untouched)
                    .map(|()| run(ended, false))
            }
            Ok(Ok(End::HandedIn)) => Ok(run(ended, false)),
            Ok(Ok(End::Failed)) => Ok(run(ended, true)),
            Ok(Err(error)) => Err(error),
            // A bug of ours. If the job was handed in before, this second outcome does not count.
            Err(_panic) => {
                let ruby_job = RubyJob::new(process, job, &self.tid, started);
                killed::settle(&ruby_job, PANIC);
                Err(errors::runtime(ruby, PANIC))
            }
        };
        process.shared.busy.finish(self.slot);
        result
    }

    fn dispatch(&self, ruby: &Ruby, job: &Arc<Job>, started: Instant) -> Result<End, Error> {
        let ruby_job = || RubyJob::new(&self.process, job, &self.tid, started);
        let envelope = job.envelope.as_ref();
        let Some(envelope) = envelope.filter(|it| self.native && !it.special) else {
            self.write_log();
            return self.through_ruby(ruby, ruby_job());
        };
        let begun = self.begin_log(ruby, job);
        self.write_log();
        match begun {
            Ok(true) => {}
            Ok(false) => return self.through_ruby(ruby, ruby_job()),
            Err(error) => return self.failed(ruby, ruby_job(), error, None, None, true),
        }
        let name = job.span(&envelope.class);
        let class = match self.process.classes.get(name) {
            Some(class) => class,
            None => match self.resolve(ruby, name) {
                Ok(class) => class,
                Err(error) => {
                    let error = self.process.context.set(job).err().unwrap_or(error);
                    return self.failed(ruby, ruby_job(), error, None, None, true);
                }
            },
        };
        let process = &self.process;
        let around = Surroundings {
            processor: self.processor,
            middleware: self.middleware,
        };
        let (names, context) = (process.names, &process.context);
        match perform(names, context, job, envelope, class, around) {
            Performed::Done(untouched) => Ok(End::Returned(untouched)),
            Performed::NeedsRuby => self.through_ruby(ruby, ruby_job().announced()),
            Performed::Raised(error, instance, payload, untouched) => {
                self.failed(ruby, ruby_job(), error, instance, payload, untouched)
            }
        }
    }

    fn resolve(&self, ruby: &Ruby, name: &[u8]) -> Result<JobClass, Error> {
        let class: Value = self
            .processor
            .funcall("resolve", (ruby.enc_str_new(name, ruby.utf8_encoding()),))?;
        let set_context = self.process.names.set_context;
        let classes = &self.process.classes;
        Ok(classes.remember(ruby, name, class, set_context))
    }

    /// Runs the job through Ruby, with everything in the application that wraps it.
    fn through_ruby(&self, ruby: &Ruby, ruby_job: RubyJob) -> Result<End, Error> {
        self.writer.set(None);
        let ruby_job = ruby.obj_wrap(ruby_job);
        let result: Result<Value, Error> = self.processor.funcall("call", (ruby_job,));
        self.see_to_the_end(&ruby_job, result)
    }

    /// The job raised on the native path. In a child that it forked, the error ends the child.
    fn failed(
        &self,
        ruby: &Ruby,
        ruby_job: RubyJob,
        error: Error,
        instance: Option<Value>,
        payload: Option<Value>,
        untouched: bool,
    ) -> Result<End, Error> {
        if !self.process.is_own() {
            return Err(error);
        }
        let moment = Moment::Fail(ruby_job.elapsed());
        let said = self.end_log(ruby, ruby_job.job(), moment, untouched);
        self.writer.set(None);
        self.write_log();
        if instance.is_some() {
            ruby_job.measured_as(self.measure.clone());
        }
        let ruby_job = ruby.obj_wrap(ruby_job);
        let Some(exception) = error.value() else {
            return self.see_to_the_end(&ruby_job, Err(error));
        };
        let result: Result<Value, Error> = self
            .processor
            .funcall("failed", (ruby_job, exception, instance, payload));
        let end = self.see_to_the_end(&ruby_job, result)?;
        said.map(|()| end)
    }

    /// Ruby should have handed the job in. If it could not (its thread was killed, something was raised
    /// in it at the wrong moment, or Footplate's own Ruby code failed), the job counts as failed and is
    /// retried, so that it is neither lost nor stuck.
    fn see_to_the_end(
        &self,
        ruby_job: &RubyJob,
        result: Result<Value, Error>,
    ) -> Result<End, Error> {
        if !self.process.is_own() {
            return result.map(|_| End::HandedIn);
        }
        if !ruby_job.is_settled() {
            match &result {
                Err(error) if self.is_shutdown(error) => ruby_job.interrupted(),
                Err(error) if error.value().is_none() => killed::settle(ruby_job, killed::KILLED),
                Err(error) => killed::settle(ruby_job, &error.to_string()),
                Ok(_) => killed::settle(ruby_job, "no outcome was handed in"),
            }
        }
        match result {
            Err(error) if error.value().is_none() => Err(error),
            _ if ruby_job.has_failed() => Ok(End::Failed),
            _ => Ok(End::HandedIn),
        }
    }

    fn is_shutdown(&self, error: &Error) -> bool {
        let ask = |exception| self.processor.funcall("shutdown?", (exception,));
        error.value().is_some_and(|it| ask(it).unwrap_or(false))
    }

    /// Writes the line `start`, if it is wanted. `false` if that is up to Ruby, which then runs the job, too.
    fn begin_log(&self, ruby: &Ruby, job: &Job) -> Result<bool, Error> {
        let Some(log) = &self.process.job_log else {
            return Ok(self.silent || self.processor.funcall("quiet?", ())?);
        };
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => log.logger.writer(ruby)?,
        };
        if writer == Writer::Engine {
            self.log(log, job, Moment::Start);
        }
        Ok(writer != Writer::Ruby)
    }

    /// Writes the last line, in the job's log context, or has Ruby do it.
    fn end_log(&self, ruby: &Ruby, job: &Job, end: Moment, untouched: bool) -> Result<(), Error> {
        if let Some(log) = self.process.job_log.as_ref().filter(|_| untouched) {
            let writer = log.logger.writer(ruby)?;
            self.writer.set(Some(writer));
            match writer {
                Writer::Engine => {
                    self.log(log, job, end);
                    return Ok(());
                }
                Writer::Nobody => return Ok(()),
                Writer::Ruby => {}
            }
        }
        if self.silent {
            return Ok(());
        }
        self.writer.set(None);
        self.write_log();
        let said: Result<Value, Error> = self.processor.funcall("say", (end.word(), end.elapsed()));
        said.map(drop)
    }

    /// A line for [`Self::write_log`].
    fn log(&self, log: &JobLog, job: &Job, moment: Moment) {
        log.append(&mut self.lines.borrow_mut(), job, &self.tid, moment);
    }

    fn write_log(&self) {
        if let Some(log) = &self.process.job_log {
            log.write(&mut self.lines.borrow_mut());
        }
    }
}
