# frozen_string_literal: true

require "forwardable"
require "footplate/server/check/active_job"
require "footplate/server/check/database"
require "footplate/server/text"
require "footplate/server/text/work_words"

module Footplate
  module Server
    class Check
      ##
      # What would start here: versions, application, Redis, work, and what of Sidekiq is replaced, a section each.
      class Summary
        extend Forwardable

        def_delegators :@boot, :facade, :settings
        private :facade, :settings

        # @param boot [Boot] that has loaded the application
        # @param probe [RedisProbe]
        # @param report [Report]
        def initialize(boot, probe, report)
          @boot = boot
          @probe = probe
          @report = report
        end

        # @param unserved [Array<String>, nil] what the engine warns of
        def write(unserved)
          versions
          application
          redis
          work([*unserved, *Database.warnings(facade.capsules.sum(&:concurrency))])
          replaced
        end

        private

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

          time = " in #{@probe.milliseconds} ms" if @probe.milliseconds
          @report.line("", "#{@probe.server} answers#{time}")
          @probe.warnings.each { |warning| @report.warning(warning) }
        end

        def work(warnings)
          @report.section
          facade.capsules.each do |capsule|
            name = capsule.name == "default" ? "Work" : "Capsule #{capsule.name}"
            @report.line(name, WorkWords.threads(capsule.concurrency))
            @report.line("", WorkWords.queues(capsule))
          end
          hooks = facade.hooks(:startup).size
          more = "#{hooks} :startup #{hooks == 1 ? "hook" : "hooks"} may still add capsules"
          @report.line("", more) if hooks.positive?
          warnings.each { |warning| @report.warning(warning) }
          @report.line("Shutdown", "gives running jobs #{facade.timeout} s")
          @report.line("Log", log)
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
      end
    end
  end
end
