# frozen_string_literal: true

require "footplate/native"
require "footplate/server/boot"
require "footplate/server/check/report"
require "footplate/server/controls"
require "footplate/server/engine_config"
require "footplate/server/interruption"
require "footplate/server/processor"
require "footplate/server/redis_probe"

module Footplate
  module Server
    ##
    # `footplate check`: loads everything that would run and shows it, but starts nothing, fires no event and
    # leaves nothing in Redis.
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
        @boot.host.logger.level = 3 unless @boot.settings.verbose?
        @boot.load_application(notify: false)
        # What a start would make of the application's parts, for what they raise.
        Processor.for_all(host, controls: Controls.new, launcher: nil)
        @probe = RedisProbe.new(@boot.host)
        versions
        application
        redis
        work
        replaced
        conclusion
      end

      private

      def host
        @boot.host
      end

      def settings
        @boot.settings
      end

      def versions
        @report.title("What would start here")
        @report.line("Footplate", VERSION)
        @report.line("Ruby", "#{RUBY_VERSION} on #{RUBY_PLATFORM}, #{yjit}")
        @report.line("Sidekiq", host.generation || "not loaded; jobs and dashboards of Sidekiq 8 are understood")
        @report.line("Rails", @boot.application.rails_version || "not loaded")
      end

      def yjit
        return "YJIT on" if defined?(RubyVM::YJIT) && RubyVM::YJIT.enabled?

        defined?(RubyVM::YJIT) ? "YJIT off (RUBYOPT=--yjit turns it on)" : "without YJIT"
      end

      def application
        @report.section
        @report.line("Application", File.expand_path(settings.require_path))
        @report.line("Environment", settings.environment)
        @report.line("Settings",
                     settings.files.empty? ? "no file; flags, environment and defaults" : settings.files.join(", "))
        settings.warnings.each { |warning| @report.warning(warning) }
        @report.line("Tag", host.tag) unless host.tag.empty?
        @report.line("Labels", host.labels.join(", ")) unless host.labels.empty?
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
        host.capsules.each do |capsule|
          @report.line(capsule.name == "default" ? "Work" : "Capsule #{capsule.name}", threads(capsule.concurrency))
          @report.line("", queues(capsule))
        end
        hooks = host.hooks(:startup).size
        if hooks.positive?
          @report.line("",
                       "#{hooks} :startup #{hooks == 1 ? "hook" : "hooks"} may still add capsules")
        end
        @report.line("Shutdown", "gives running jobs #{host.timeout} s")
        @report.line("Log", log)
      end

      def log
        return "jobs through #{host.job_logger}" if host.job_logger

        host.native_log ? "written by the engine (#{host.native_log[:format]})" : "through #{host.logger.class}"
      end

      def threads(count)
        count == 1 ? "1 thread" : "#{count} threads"
      end

      def queues(capsule)
        names = capsule.queues.map { |name, weight| weight.positive? ? "#{name} (#{weight})" : name }
        order = { strict: "in this order", weighted: "by weight", random: "in any order" }.fetch(capsule.mode)
        names.size == 1 ? "queue #{names.first}" : "queues #{names.join(", ")}; #{order}"
      end

      def replaced
        return if @boot.replaced_parts.empty?

        @report.section("Parts of Sidekiq that this application replaces or changes")
        @boot.replaced_parts.each { |part| part.used ? @report.remark(part.to_s) : @report.warning(part.to_s) }
      end

      # The engine itself says whether it would start with these settings on this Redis.
      # @return [String, nil]
      def problem
        @probe.problem || Native::Engine.check(EngineConfig.new(settings, host).to_json)
      rescue Error => e
        e.message
      end

      def conclusion
        @report.section
        if (found = problem)
          @report.failure(found)
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
