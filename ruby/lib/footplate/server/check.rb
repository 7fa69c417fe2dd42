# frozen_string_literal: true

require "footplate/native"
require "footplate/server/boot"
require "footplate/server/boot/redis_probe"
require "footplate/server/check/active_job"
require "footplate/server/check/database"
require "footplate/server/check/report"
require "footplate/server/job/controls"
require "footplate/server/job/interruption"
require "footplate/server/job/processor"
require "footplate/server/run/engine_config"
require "footplate/server/text/work_words"

module Footplate
  module Server
    ##
    # `footplate check`: loads everything that would run and shows it, but starts nothing, fires no event and
    # leaves nothing of its own in Redis. The application's code runs as for a start, and may.
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
        # The log would stand between the lines of the report.
        @boot.facade.logger.level = 3 unless @boot.settings.verbose?
        @boot.load_application(notify: false)
        # What a start would make of the application's parts, for what they raise.
        Processor.for_all(facade, controls: Controls.new, launcher: nil)
        @probe = RedisProbe.new(@boot.facade)
        ask_engine
        versions
        application
        redis
        work
        replaced
        conclusion
      end

      private

      def facade
        @boot.facade
      end

      def settings
        @boot.settings
      end

      def versions
        @report.title("What would start here")
        @report.line("Footplate", VERSION)
        @report.line("Ruby", "#{RUBY_VERSION} on #{RUBY_PLATFORM}, #{yjit}")
        @report.line("Sidekiq", facade.sidekiq_version) if facade.gem?
        @report.line("Rails", @boot.application.rails_version || "not loaded")
        active_job = ActiveJob.find(settings.environment) or return
        @report.line("Active Job", active_job.adapter)
        active_job.warnings.each { |warning| @report.warning(warning) }
      end

      def yjit
        return "YJIT on" if defined?(RubyVM::YJIT) && RubyVM::YJIT.enabled?

        defined?(RubyVM::YJIT) ? "YJIT off (RUBYOPT=--yjit turns it on)" : "without YJIT"
      end

      def application
        @report.section
        @report.line("Application", Text.readable(Text.expand_path(settings.require_path)))
        @report.line("", "loaded as for a start: its configure_server blocks ran, and what they wrote stays")
        @report.line("Environment", settings.environment)
        @report.line("Settings",
                     settings.files.empty? ? "no file; flags, environment and defaults" : settings.files.join(", "))
        settings.warnings.each { |warning| @report.warning(warning) }
        @report.line("Tag", facade.tag) unless facade.tag.empty?
        @report.line("Labels", facade.labels.join(", ")) unless facade.labels.empty?
      end

      def redis
        @report.section
        @report.line("Redis", @probe.place)
        return if @probe.problem

        @report.line("",
                     ["#{@probe.server} answers",
                      @probe.milliseconds && "in #{@probe.milliseconds} ms"].compact.join(" "))
        @probe.warnings.each { |warning| @report.warning(warning) }
      end

      def work
        @report.section
        facade.capsules.each do |capsule|
          name = capsule.name == "default" ? "Work" : "Capsule #{capsule.name}"
          @report.line(name, WorkWords.threads(capsule.concurrency))
          @report.line("", WorkWords.queues(capsule))
        end
        hooks = facade.hooks(:startup).size
        @report.line("", "#{hooks} :startup #{hooks == 1 ? "hook" : "hooks"} may still add capsules") if hooks.positive?
        work_warnings.each { |warning| @report.warning(warning) }
        @report.line("Shutdown", "gives running jobs #{facade.timeout} s")
        @report.line("Log", log)
      end

      def work_warnings
        [*@unserved, *Database.warnings(facade.capsules.sum(&:concurrency))]
      end

      def log
        return "jobs through #{facade.job_logger}" if facade.job_logger

        facade.native_log ? "written by the engine (#{facade.native_log[:format]})" : "through #{facade.logger.class}"
      end

      def replaced
        return if @boot.replaced_parts.empty?

        @report.section("Parts of Sidekiq that this application replaces or changes")
        @boot.replaced_parts.each { |part| part.used ? @report.remark(part.to_s) : @report.warning(part.to_s) }
      end

      # The engine itself says whether it would start with these settings on this Redis, and what it would warn of.
      def ask_engine
        @problem = @probe.problem
        @unserved = Native::Engine.check(EngineConfig.new(settings, facade).to_json) unless @problem
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
