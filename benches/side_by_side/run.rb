# frozen_string_literal: true

require_relative "delivery"
require_relative "payloads"
require_relative "shared"
require_relative "worker"

module SideBySide
  ##
  # One worker process over one load: once it is there with all its threads, its jobs are let into the queue, it works
  # them off, and is stopped. What is measured lies between that moment and its last job. Other shapes of load (below)
  # are subclasses.
  class Run
    include Bench::Clock

    STARTS_WITHIN = 60
    ENDS_WITHIN = 180
    # Nobody is slower than that over many jobs.
    JOBS_PER_SECOND = 500
    STORED_WITHIN = 10
    ASIDE = "bench:"
    # Payloads that are in our memory at once; they may be large.
    SLICE = 1_000

    # The class for a load's shape.
    def self.shape(load)
      { burst: self, latency: LatencyRun, scheduled: ScheduledRun, mixed: MixedRun, idle: IdleRun,
        enqueue: EnqueueRun }.fetch(load.shape)
    end

    # @param url [String] where the worker finds Redis, if that is not where we do
    def initialize(redis:, engine:, load:, jobs:, url: redis.url)
      @redis = redis
      @engine = engine
      @load = load
      @jobs = jobs
      @url = url
    end

    # @return [Hash{Symbol => Object}] the figures
    # @raise [Bench::Void]
    def call
      prepare
      @worker = Worker.new(@engine, @load, @jobs, @url)
      ready = @worker.report("ready", STARTS_WITHIN, every: Worker::OFTEN)
      @startup = @worker.age
      @before = costs(ready)
      @started = now
      go
      # The retries of the last jobs come after the end, and are timed by us.
      every = @load.retries ? Worker::OFTEN : Worker::RARELY
      finish = @worker.report("end", [ENDS_WITHIN, @jobs / JOBS_PER_SECOND].max, every: every)
      ended = @load.retries ? await_retries : finish[:last]
      figures(ended - @started, finish)
    ensure
      @worker&.discard
    end

    private

    def prepare
      @redis.call("FLUSHALL")
      @redis.call("SADD", "queues", *@load.queue_names)
      first = @load.queue_names.first
      @redis.push([Payloads.plain("ReadyJob", "", first)], "queue:#{first}")
      @redis.push(Array.new(@load.holding) { Payloads.plain("HoldingJob", "", HOLDING) }, "queue:#{HOLDING}")
      fill
    end

    # Where the worker does not look: pushing takes longer than running some of them.
    def fill
      (0...@jobs).each_slice(SLICE) { |numbers| fill_slice(numbers) }
      last = @load.queue_names.last
      @redis.push([Payloads.plain("LastJob", "", last)], "#{ASIDE}#{last}")
    end

    def fill_slice(numbers)
      names = @load.queue_names
      second = @load.argument ? %("#{"x" * @load.argument}") : 1.5
      numbers.group_by { |number| names[number % names.size] }.each do |queue, some|
        @redis.push(some.map { |number| Payloads.job(@load.kind, number, second, queue: queue) }, "#{ASIDE}#{queue}")
      end
    end

    # All at once.
    def go
      names = @redis.call("KEYS", "#{ASIDE}*").map { |name| name.delete_prefix(ASIDE) }
      @redis.pipeline(names.map { |name| ["RENAME", "#{ASIDE}#{name}", "queue:#{name}"] })
    end

    # The last job has raised; the retry of the last that did must be in Redis as well.
    def await_retries
      @worker.wait(STORED_WITHIN, "all retries to be stored") { @redis.call("ZCARD", "retry") >= @jobs }
      now
    end

    # They are part of what jobs cost Redis, though not of the time until the last has run. Sidekiq has none.
    def await_acknowledgements
      @worker.wait(STORED_WITHIN, "all jobs to be acknowledged") do
        tables = @redis.call("KEYS", "footplate:inflight:*")
        tables.all? { |table| @redis.call("HKEYS", table).all? { |field| field.start_with?("#") } }
      end
    end

    # So far, of the worker and of Redis.
    def costs(report)
      { **report.slice(:worker_cpu, :objects, :collections, :collecting, :switches),
        **@redis.costs }
    end

    def figures(seconds, finish)
      await_acknowledgements
      after = costs(finish)
      @worker.stop
      Delivery.new(@redis, @load, @jobs).check(@worker.report("ledger", 1), @worker)
      per_job = after.to_h { |name, value| [name, (value - @before[name]).fdiv([@jobs, 1].max)] }
      { jobs: @jobs, seconds: seconds, jobs_per_second: @jobs / seconds, per_job: per_job,
        resident: finish[:resident], peak: finish[:peak], startup: @startup, **special(finish) }
    end

    # Figures of this shape alone.
    def special(_finish)
      {}
    end
  end
end

require_relative "enqueue_run"
require_relative "idle_run"
require_relative "latency_run"
require_relative "mixed_run"
require_relative "scheduled_run"
