# frozen_string_literal: true

require "footplate/server/bench/limits"
require "footplate/server/bench/payloads"
require "footplate/server/bench/plan"

module Footplate
  module Server
    class Bench
      ##
      # One worker from its start to its end: jobs one by one while it idles, then all no-ops at once.
      class Trial
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

        def engine
          @contender.engine
        end

        def start
          push(BenchPayloads.mark("ready", @contender.threads, @ground.name))
          @contender.start(@plan.jobs)
          @contender.report("ready", Contender::STARTS_WITHIN)
        end

        def push(payload)
          @ground.push(engine, payload)
        end

        # @return [Hash{Symbol => Float}] milliseconds to `perform` from when a job ought to be pushed, by a timetable
        #   that waits for nobody
        def latency
          sleep SETTLE
          without_collections { push_by_timetable }
          push(BenchPayloads.mark("latency", @plan.latency_jobs, @ground.name))
          waits = @contender.report("latency", @plan.patience)[:waits].sort
          @unheard = @plan.latency_jobs - waits.size
          { p50: 0.5, p99: 0.99 }.transform_values { |share| Limits.percentile(waits, share).to_f * 1_000 }
        end

        # One of the application's objects takes longer than most jobs wait, and would count as their waiting.
        def without_collections
          GC.start
          GC.disable
          yield
        ensure
          GC.enable
        end

        def push_by_timetable
          began = Limits.now
          @plan.latency_jobs.times do |number|
            due = began + number.fdiv(Plan::RATE)
            ahead = due - Limits.now
            sleep ahead if ahead.positive?
            push(BenchPayloads.latency(due, @ground.name))
          end
        end

        # @return [Hash{Symbol => Float}] jobs a second, and microseconds of Redis's CPU for each
        def speed
          fill
          others = background
          cpu = @ground.cpu
          from = Limits.now
          @ground.let_in(engine)
          seconds = @contender.report("end", @plan.patience)[:at] - from
          used = @ground.cpu - cpu - (others * (Limits.now - from))
          { jobs_per_second: @plan.jobs / seconds, redis_cpu: [used, 0].max * 1e6 / @plan.jobs }
        end

        def fill
          numbers = (0...@plan.jobs).each_slice(5_000)
          numbers.each { |slice| @ground.put_aside(slice.map { |it| BenchPayloads.noop(it, @ground.name) }) }
          @ground.put_aside([BenchPayloads.mark("end", @plan.jobs, @ground.name)])
        end

        # @return [Float] CPU seconds a second
        def background
          before = @ground.cpu
          from = Limits.now
          sleep BACKGROUND
          (@ground.cpu - before) / (Limits.now - from)
        end

        # @return [String, nil] why this run does not count
        def void
          return "#{@unheard} of #{@plan.latency_jobs} jobs pushed one by one did not run once" unless @unheard.zero?

          ledger = @contender.report("ledger", 1)
          "#{ledger[:missing]} jobs lost, #{ledger[:doubled]} run twice" unless ledger.values.all?(0)
        end
      end
    end
  end
end
