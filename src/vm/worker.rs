//! The loop of a worker thread: take, perform, hand in, and sleep when there is nothing.

use std::sync::Arc;
use std::time::Instant;

use magnus::{Error, Ruby, Value, prelude::*};

use super::gvl::without_gvl;
use super::handle::Process;
use super::job::RubyJob;
use super::joblog::Moment;
use super::killed;
use super::perform::{JobClass, Performed, perform};
use crate::engine::ready::Take;
use crate::engine::sync::Parker;
use crate::engine::{Ended, Outcome};
use crate::job::Job;

/// One worker thread.
pub(super) struct Worker {
    pub(super) process: Arc<Process>,
    pub(super) capsule: usize,
    pub(super) slot: usize,
    pub(super) tid: String,
    /// The application's `Footplate::Server::Processor`. On the stack of [`Worker::run`]'s caller.
    pub(super) processor: Value,
    /// Whether jobs may take the native path.
    pub(super) native: bool,
}

impl Worker {
    /// Runs until the capsule closes. An error ends the thread: Ruby killed it, or raised in it
    /// while it ran no job.
    pub(super) fn run(&self, ruby: &Ruby) -> Result<(), Error> {
        let shared = Arc::clone(&self.process.shared);
        shared.busy.name(self.slot, self.tid.clone());
        let ready = &shared.capsules[self.capsule].ready;
        let parker = Arc::new(Parker::default());
        let mut finished = false;
        loop {
            match ready.take(finished) {
                Take::Job(job) => {
                    if let Err(error) = self.work(ruby, job) {
                        ready.leave();
                        return Err(error);
                    }
                    // The job forked and returned in the child: its copies of the other jobs are the parent's.
                    if self.process.is_forked_child() {
                        return Ok(());
                    }
                    finished = true;
                }
                Take::Empty => {
                    finished = false;
                    let parked = without_gvl(&parker, || ready.park(&parker));
                    let interrupted = ruby.thread_check_ints();
                    if let Some(parked) = parked {
                        ready.arrive(parked, interrupted.is_ok());
                    }
                    interrupted?;
                }
                Take::Closed => return Ok(()),
            }
        }
    }

    /// Runs one job and sees that it is handed in, whatever happens.
    fn work(&self, ruby: &Ruby, job: Arc<Job>) -> Result<(), Error> {
        let busy = &self.process.shared.busy;
        busy.start(self.slot, Arc::clone(&job));
        let result = self.dispatch(ruby, &job);
        if self.process.is_forked_child() {
            return Ok(());
        }
        busy.finish(self.slot);
        result
    }

    fn dispatch(&self, ruby: &Ruby, job: &Arc<Job>) -> Result<(), Error> {
        let Some(envelope) = job
            .envelope
            .as_ref()
            .filter(|it| self.native && !it.special)
        else {
            let ruby_job = RubyJob::new(&self.process, job, &self.tid, Instant::now());
            return self.through_ruby(ruby, ruby_job);
        };
        self.log(job, Moment::Start);
        let started = Instant::now();
        let ruby_job = || RubyJob::new(&self.process, job, &self.tid, started);
        let name = job.span(&envelope.class);
        let class = match self.process.classes.get(name) {
            Some(class) => class,
            None => match self.resolve(ruby, name) {
                Ok(class) => class,
                Err(error) => return self.failed(ruby, ruby_job(), error, None),
            },
        };
        self.process.context.set(job)?;
        let performed = perform(ruby, job, envelope, class, self.processor);
        if self.process.is_forked_child() {
            return Ok(());
        }
        match performed {
            Performed::Done => {
                let elapsed = started.elapsed().as_secs_f64();
                self.log(job, Moment::Done(elapsed));
                self.process.shared.settlements.push(Ended {
                    job: Arc::clone(job),
                    outcome: Outcome::Done,
                    elapsed: Some(elapsed * 1_000.0),
                });
                Ok(())
            }
            Performed::NeedsRuby => self.through_ruby(ruby, ruby_job().announced()),
            Performed::Raised(error, instance) => {
                self.log(job, Moment::Fail(started.elapsed().as_secs_f64()));
                self.failed(ruby, ruby_job(), error, instance)
            }
        }
    }

    fn resolve(&self, ruby: &Ruby, name: &[u8]) -> Result<JobClass, Error> {
        let class: Value = self
            .processor
            .funcall("resolve", (ruby.enc_str_new(name, ruby.utf8_encoding()),))?;
        self.process.classes.remember(ruby, name, class)
    }

    /// The whole of the application's nesting, in Ruby.
    fn through_ruby(&self, ruby: &Ruby, ruby_job: RubyJob) -> Result<(), Error> {
        let ruby_job = ruby.obj_wrap(ruby_job);
        let result: Result<Value, Error> = self.processor.funcall("call", (ruby_job,));
        self.see_to_the_end(&ruby_job, result)
    }

    fn failed(
        &self,
        ruby: &Ruby,
        ruby_job: RubyJob,
        error: Error,
        instance: Option<Value>,
    ) -> Result<(), Error> {
        let ruby_job = ruby.obj_wrap(ruby_job);
        let Some(exception) = error.value() else {
            return self.see_to_the_end(&ruby_job, Err(error));
        };
        let result: Result<Value, Error> = self
            .processor
            .funcall("failed", (ruby_job, exception, instance));
        self.see_to_the_end(&ruby_job, result)
    }

    /// Ruby should have handed the job in. If it could not (its thread was killed, or our own Ruby
    /// half failed), the job counts as failed and is retried, so that it is neither lost nor stuck.
    fn see_to_the_end(
        &self,
        ruby_job: &RubyJob,
        result: Result<Value, Error>,
    ) -> Result<(), Error> {
        if !ruby_job.is_settled() {
            let why = match &result {
                Ok(_) => "no outcome was handed in".to_owned(),
                Err(error) => error.to_string(),
            };
            killed::settle(ruby_job, &why);
        }
        match result {
            Err(error) if error.value().is_none() => Err(error),
            _ => Ok(()),
        }
    }

    fn log(&self, job: &Job, moment: Moment) {
        if let Some(log) = &self.process.job_log {
            log.line(job, &self.tid, moment);
        }
    }
}
