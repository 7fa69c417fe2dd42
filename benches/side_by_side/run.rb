# frozen_string_literal: true

require_relative "feeder"
require_relative "payloads"
require_relative "worker"

module SideBySide
  ##
  # One worker process over one load: its jobs are in Redis before it starts (for latency: are pushed once it runs), it
  # works them off, and is stopped. What is measured lies between its first and its last job.
  class Run
    STARTS_WITHIN = 60
    ENDS_WITHIN = 180
    STORED_WITHIN = 10

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
      @before = redis_costs
      @worker = Worker.new(@engine, @load, @jobs, @redis.url)
      feed if @load.latency?
      finish = @worker.report("end", ENDS_WITHIN)
      @stored = await_retries if @load.retries
      figures(finish, redis_costs)
    ensure
      @worker&.discard
    end

    private

    def fill
      @redis.call("FLUSHALL")
      @redis.push([Payloads.plain("FirstJob")])
      return if @load.latency?

      (0...@jobs).each_slice(10_000) do |numbers|
        @redis.push(numbers.map { |number| Payloads.job(@load.name, number) })
      end
      @redis.push([Payloads.plain("LastJob")])
    end

    def feed
      @worker.wait(STARTS_WITHIN, "it to begin") { @redis.call("LLEN", "queue:default").zero? }
      Feeder.new(@redis, @load).push(@jobs)
      @redis.push([Payloads.plain("LastJob")])
    end

    # The last job has raised; the retry of the last that did must be in Redis as well.
    def await_retries
      @worker.wait(STORED_WITHIN, "all retries to be stored") { @redis.call("ZCARD", "retry") >= @jobs }
      now
    end

    def redis_costs
      { redis_commands: @redis.info("total_commands_processed"),
        redis_cpu: @redis.info("used_cpu_user") + @redis.info("used_cpu_sys") }
    end

    def figures(finish, after)
      @worker.stop
      check(@worker.report("ledger", 1))
      seconds = (@stored || finish[:last]) - finish[:first]
      costs = after.to_h { |name, value| [name, value - @before[name]] }.merge(worker_cpu: finish[:cpu])
      { jobs: @jobs, seconds: seconds, jobs_per_second: @jobs / seconds,
        per_job: costs.transform_values { |value| value / @jobs },
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
