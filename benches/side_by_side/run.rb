# frozen_string_literal: true

require_relative "feeder"
require_relative "payloads"
require_relative "worker"

module SideBySide
  ##
  # One worker process over one load: once it is there with all its threads, its jobs are let into the queue (for
  # latency: one by one), it works them off, and is stopped. What is measured lies between that moment and its last job.
  class Run
    STARTS_WITHIN = 60
    ENDS_WITHIN = 180
    STORED_WITHIN = 10
    ASIDE = "bench:jobs"

    def initialize(redis:, engine:, load:, jobs:)
      @redis = redis
      @engine = engine
      @load = load
      @jobs = jobs
    end

    # @return [Hash{Symbol => Object}] the figures
    # @raise [Void]
    def call
      fill
      @worker = Worker.new(@engine, @load, @jobs, @redis.url)
      @before = costs(@worker.report("ready", STARTS_WITHIN))
      started = now
      @load.latency? ? feed : open
      finish = @worker.report("end", ENDS_WITHIN)
      ended = @load.retries ? await_retries : finish[:last]
      figures(ended - started, finish)
    ensure
      @worker&.discard
    end

    private

    # Where the worker does not look: pushing takes longer than running some of them.
    def fill
      @redis.call("FLUSHALL")
      @redis.call("SADD", "queues", "default")
      @redis.push([Payloads.plain("ReadyJob")])
      return if @load.latency?

      (0...@jobs).each_slice(10_000) do |numbers|
        @redis.push(numbers.map { |number| Payloads.job(@load.name, number) }, ASIDE)
      end
      @redis.push([Payloads.plain("LastJob")], ASIDE)
    end

    # All at once.
    def open
      @redis.call("RENAME", ASIDE, "queue:default")
    end

    def feed
      Feeder.new(@redis, @load).push(@jobs)
      @redis.push([Payloads.plain("LastJob")])
    end

    # The last job has raised; the retry of the last that did must be in Redis as well.
    def await_retries
      @worker.wait(STORED_WITHIN, "all retries to be stored") { @redis.call("ZCARD", "retry") >= @jobs }
      now
    end

    # So far, of the worker and of Redis.
    def costs(report)
      { worker_cpu: report[:cpu], objects: report[:objects],
        redis_cpu: @redis.info("used_cpu_user") + @redis.info("used_cpu_sys"),
        redis_commands: @redis.info("total_commands_processed") }
    end

    def figures(seconds, finish)
      after = costs(finish)
      @worker.stop
      check(@worker.report("ledger", 1))
      per_job = after.to_h { |name, value| [name, (value - @before[name]).fdiv(@jobs)] }
      { jobs: @jobs, seconds: seconds, jobs_per_second: @jobs / seconds, per_job: per_job,
        resident: finish[:resident], peak: finish[:peak], **Feeder.percentiles(finish[:waits]) }
    end

    def check(delivery)
      raise Void, "#{delivery[:missing]} jobs lost, #{delivery[:doubled]} run twice" unless delivery.values.all?(0)

      left = @redis.call("LLEN", "queue:default")
      raise Void, "#{left} jobs left in the queue" unless left.zero?

      retries = @redis.call("ZCARD", "retry")
      expected = @load.retries ? @jobs : 0
      raise Void, "#{retries} retries instead of #{expected}" unless retries == expected
    end

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end
end
