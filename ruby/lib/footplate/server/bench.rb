# frozen_string_literal: true

require "footplate/native"
require "footplate/server/bench/contender"
require "footplate/server/bench/ground"
require "footplate/server/bench/limits"
require "footplate/server/bench/plan"
require "footplate/server/bench/report"
require "footplate/server/bench/trial"
require "footplate/server/boot"
require "footplate/server/boot/redis_probe"
require "footplate/server/run/engine_config"

module Footplate
  module Server
    ##
    # `footplate bench`: what this engine, and the installed Sidekiq, do on the Redis that the application is
    # configured with. The application is loaded to learn that, and nothing of it runs: the workers are processes of
    # their own with jobs of ours (bench/worker.rb), in a queue of ours (bench/ground.rb).
    class Bench
      SIGNALS = %w[INT TERM HUP].freeze

      # @param typed [Hash{Symbol => Object}] what Native.parse answered for every command
      # @param asked [Hash{Symbol => Object}] what it answered for this one
      # @return [Integer] exit status: 0, or 1 when a run lost or doubled a job
      # @raise what boot raises; BootError when it cannot be measured here
      def self.run(typed, asked, out: $stdout, progress: $stderr)
        new(typed, Plan.new(**asked), progress).run(out)
      end

      def initialize(typed, plan, progress)
        @plan = plan
        @progress = progress
        @boot = Boot.new(typed)
      end

      def run(out)
        @boot.facade.logger.level = 3 unless @boot.settings.verbose?
        @boot.load_application(notify: false)
        own_signals
        probe = usable_redis
        @ground = Ground.new(facade.redis_settings, facade.redis_description)
        results = measure
        report = Report.new(@plan, results, server: probe.server, place: probe.place, sidekiq:)
        out.puts @plan.json ? report.to_json : report.lines
        results.trials.any?(&:void) ? 1 : 0
      end

      private

      def facade
        @boot.facade
      end

      def sidekiq
        facade.sidekiq_version.to_s if facade.gem?
      end

      # The application may have set traps, but here a signal must lead to our clearing up. What the shell has made this
      # process ignore (nohup) stays ignored.
      def own_signals
        SIGNALS.each { |name| trap(name, "IGNORE") if trap(name, "DEFAULT") == "IGNORE" }
      end

      # @raise [BootError] with what `footplate check` would say
      def usable_redis
        probe = RedisProbe.new(facade)
        problem = probe.problem || Native::Engine.check(EngineConfig.new(@boot.settings, facade).to_json)
        raise BootError, problem if problem

        probe
      end

      Results = Struct.new(:round_trips, :bare_loop, :trials, keyword_init: true)

      def measure
        @ground.prepare(@plan.bytes)
        announce
        say("round trips, and the bare loop")
        results = Results.new(round_trips: Limits.round_trips(@ground), trials: [],
                              bare_loop: Limits.bare_loop(@plan.jobs))
        @plan.pairs.times do |pair|
          # Whoever goes second finds a warmer machine.
          order = pair.even? ? engines : engines.reverse
          order.each { |engine| results.trials << trial(engine, pair) }
        end
        results
      ensure
        leave
      end

      def trial(engine, pair)
        say("#{Contender::TITLES.fetch(engine)}, run #{pair + 1} of #{@plan.pairs}")
        contender = Contender.new(engine, ground: @ground, threads: threads, environment: facade.environment)
        Trial.new(contender, @ground, @plan).call(pair).tap { |trial| say("  void: #{trial.void}") if trial.void }
      end

      def engines
        @engines ||= facade.gem? ? %i[footplate sidekiq] : %i[footplate]
      end

      def threads
        facade.capsules.first.concurrency
      end

      def announce
        names = engines.map { |engine| Contender::TITLES.fetch(engine) }.join(" and for ")
        say("#{@plan.pairs} x #{@plan.jobs} no-op jobs for #{names}, #{threads} threads, on Redis at #{@ground.place}")
        say("in a queue named #{@ground.name}, which takes about #{@plan.megabytes} MB there and is removed; " \
            "of the application's keys none is touched, but for an entry in `processes` while a Sidekiq runs")
        say("! While it runs, whoever else uses this Redis or this machine feels the load. Ctrl-C ends it.")
        say("! The sidekiq gem is not loaded; there is nothing to compare with.") unless facade.gem?
      end

      # A second signal must not keep us from clearing up after the first.
      def leave
        SIGNALS.each { |name| trap(name, "IGNORE") }
        @ground.leave
      end

      def say(line)
        @progress.puts "footplate bench: #{line}"
      end
    end
  end
end
