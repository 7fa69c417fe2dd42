# frozen_string_literal: true

require "footplate/native"
require "footplate/server/boot"
require "footplate/server/boot/redis_probe"
require "footplate/server/check/report"
require "footplate/server/check/summary"
require "footplate/server/job/controls"
require "footplate/server/job/processor"
require "footplate/server/run/engine_config"

module Footplate
  module Server
    ##
    # `footplate check`: loads everything that would run and shows it, but starts nothing, fires no event and leaves
    # nothing of its own in Redis. The application's code, which runs as for a start, may leave something.
    class Check
      # @param typed [Hash{Symbol => Object}] what Native.parse answered
      # @param out [IO]
      # @return [Integer] exit status: 0, or 1 when `footplate` could not start here
      # @raise what boot raises; the caller reports it and the status is 1 as well
      def self.run(typed, out: $stdout)
        new(typed, Report.new(out)).run
      end

      def initialize(typed, report)
        @report = report
        @boot = Boot.new(typed)
      end

      def run
        # Log lines would come between those of the report.
        facade.logger.level = 3 unless @boot.settings.verbose?
        @boot.load_application(notify: false)
        # A start would make these; whatever the application's code raises then is to show up here.
        Processor.for_all(facade, controls: Controls.new, launcher: nil)
        @probe = RedisProbe.new(facade)
        ask_engine
        Summary.new(@boot, @probe, @report).write(@unserved)
        conclusion
      end

      private

      def facade
        @boot.facade
      end

      # The engine itself says whether it would start with these settings on this Redis, and what it would warn of.
      def ask_engine
        @problem = @probe.problem
        @unserved = Native::Engine.check(EngineConfig.new(@boot.settings, facade).to_json) unless @problem
      rescue Error => e
        @problem = e.message
      end

      def conclusion
        @report.section
        if @problem
          @report.failure(@problem)
          @report.failure("It could not start.")
          1
        else
          @report.success(@report.warnings? ? "It would start; see the lines marked with !" : "It would start.")
          0
        end
      end
    end
  end
end
