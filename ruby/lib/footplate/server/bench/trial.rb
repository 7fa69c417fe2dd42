# frozen_string_literal: true

require "footplate/bench"
require "footplate/server/bench/plan"

module Footplate
  module Server
    class Bench
      ##
      # One worker from its start to its end: jobs one by one while it idles, then all no-ops at once.
      class Trial
        include Footplate::Bench::Clock

        # Seconds in which what others do on this Redis is looked at.
        BACKGROUND = 0.3
        SETTLE = 0.3

        Figures = Struct.new(:engine, :pair, :jobs_per_second, :p50, :p99, :redis_cpu, :void, keyword_init: true)

        def initialize(contender, ground, plan)
          @contender = contender
          @ground = ground
          @plan = plan
        end

        # @return [Figures]
        # @raise [BootError] when the worker does not come to its end
        def call(pair)
          start
          waits = latency
          speed = speed()
          @contender.stop
          Figures.new(engine: @contender.engine, pair: pair, void: void, **waits, **speed)
        ensure
          @contender.discard
          @ground.sweep
        end

        private

        def start
          push(payload("ReadyJob"))
          @contender.start(@plan.latency_jobs + @plan.jobs)
          @contender.report("ready", Contender::STARTS_WITHIN)
        end

        # Whatever goes wrong, none of them may end in the application's retry or dead set.
        def payload(job_class, *args)
          Footplate::Bench::Payloads.plain(job_class, args.join(","), @ground.name, retries: false)
        end

        def push(*payloads)
          @ground.push(@contender.engine, *payloads)
        end

        # @return [Hash{Symbol => Float}] milliseconds to `perform` from when a job ought to be pushed, by a timetable
        #   that waits for nobody
        def latency
          sleep SETTLE
          feeder = Footplate::Bench::Feeder.new(Plan::RATE) { |number, due| payload("LatencyJob", number, due) }
          feeder.push(@plan.latency_jobs) { |batch| push(*batch) }
          push(payload("WaitsJob", @plan.latency_jobs))
          waits = @contender.report("waits", @plan.patience)[:waits]
          @unheard = @plan.latency_jobs - waits.size
          Footplate::Bench.percentiles(waits).slice(:p50, :p99)
        end

        # @return [Hash{Symbol => Float}] jobs a second, and microseconds of Redis's CPU for each
        def speed
          fill
          others = background
          cpu = @ground.cpu
          from = now
          @ground.let_in(@contender.engine)
          seconds = @contender.report("end", @plan.patience)[:last] - from
          used = @ground.cpu - cpu - (others * (now - from))
          { jobs_per_second: @plan.jobs / seconds, redis_cpu: [used, 0].max * 1e6 / @plan.jobs }
        end

        # Their numbers follow those of the jobs that were pushed one by one.
        def fill
          Array.new(@plan.jobs) { |number| @plan.latency_jobs + number }.each_slice(5_000) do |numbers|
            @ground.put_aside(numbers.map { |number| payload("NoopJob", number, 1.5) })
          end
          @ground.put_aside([payload("LastJob")])
        end

        # @return [Float] CPU seconds a second
        def background
          before = @ground.cpu
          from = now
          sleep BACKGROUND
          (@ground.cpu - before) / (now - from)
        end

        # @return [String, nil] why this run does not count
        def void
          return "#{@unheard} of #{@plan.latency_jobs} jobs pushed one by one did not run once" unless @unheard.zero?

          Footplate::Bench::Void.reason(@contender.report("ledger", 1))
        end
      end
    end
  end
end
