# frozen_string_literal: true

module Footplate
  module Server
    ##
    # The way out (Sidekiq's Launcher#stop, in a safer order):
    #
    # 1. quiet
    # 2. :shutdown, while the running jobs have until the deadline
    # 3. Sidekiq::Shutdown in those that are left, and 3 s for their `ensure` blocks
    # 4. the engine returns what still runs, flushes everything and ends
    # 5. :exit
    #
    # A second INT or TERM hurries: the deadline is now, for the jobs and for Redis. Jobs of whose outcome Redis has not
    # been told when the process ends come back through recovery.
    class Stop
      GRACE = 3
      # How long Redis may stay silent once the deadline is over, or once there is nothing left that it must be told.
      PATIENCE = 1.3
      TICK = 0.05

      def initialize(launcher)
        @launcher = launcher
        @facade = launcher.facade
        @engine = launcher.engine
        @hurried = 0
      end

      # @return [Boolean] whether Redis has heard of every job
      def run
        @deadline = now + @facade.timeout
        @launcher.quiet
        events = Thread.new { @facade.fire_event(:shutdown, reverse: true) }
        await_jobs
        interrupt if @engine.busy.positive?
        events.join
        end_engine
        @facade.fire_event(:exit, reverse: true)
        @facade.logger.info { "Bye!" }
        @unsettled.zero?
      end

      private

      def await_jobs
        return if idle_by?(now + TICK, hurried: 1)

        @facade.logger.info { "Pausing to allow jobs to finish..." }
        idle_by?(@deadline, hurried: 1)
      end

      def interrupt
        @facade.logger.warn { "Terminating #{@engine.busy} busy threads" }
        @launcher.crew.interrupt
        idle_by?(now + GRACE, hurried: 2)
        @facade.logger.info { "Pushed #{@engine.busy} jobs back to Redis" } if @engine.busy.positive?
      end

      # Whether no job runs any more. Waits for it until `time` at the latest, or until that many signals have come.
      def idle_by?(time, hurried:)
        until @engine.busy.zero?
          return false if now >= time || @hurried >= hurried

          listen
        end
        true
      end

      def end_engine
        @engine.finish
        await_engine
        @unsettled = @engine.unsettled
        return if @unsettled.zero?

        @facade.logger.error do
          "Could not tell Redis what became of #{@unsettled} job(s): recovery will run them again"
        end
      end

      def await_engine
        heard = said = now
        left = @engine.unsettled
        until @engine.wait_ended(TICK)
          listen
          heard = now if @engine.unsettled < left
          left = @engine.unsettled
          return if now >= waited_for(left, heard + PATIENCE)

          said = say_what_is_waited_for(left) if now - said > 5
        end
        @launcher.control.join
      end

      # @return [Float] when to stop waiting for Redis; `soon` at the earliest
      def waited_for(left, soon)
        left.zero? || @hurried.positive? ? soon : [@deadline, soon].max
      end

      def say_what_is_waited_for(left)
        @facade.logger.warn do
          "Waiting for Redis to hear of the last #{left} job(s), for #{(@deadline - now).ceil.clamp(1..)} s at most. " \
            "Another TERM ends at once; recovery would run them again."
        end
        now
      end

      def listen
        @hurried += 1 if %w[INT TERM].include?(@launcher.signals.wait(TICK))
      end

      def now
        Process.clock_gettime(Process::CLOCK_MONOTONIC)
      end
    end
  end
end
