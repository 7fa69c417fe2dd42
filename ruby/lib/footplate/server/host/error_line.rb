# frozen_string_literal: true

require "footplate/server/job/raised"

module Footplate
  module Server
    module Host
      ##
      # An error in the log of an application without the sidekiq gem, as Sidekiq 8's own error handler writes
      # it: one line with the context before it. For a developer the backtrace follows, once and of the
      # application's lines: what called them here is no help, and a cause has most of it in common.
      module ErrorLine
        # Of this gem.
        OWN = File.expand_path("../..", __dir__)

        module_function

        # @param host [Host::Base]
        def write(host, exception, context)
          around = Thread.current[:sidekiq_context]
          Thread.current[:sidekiq_context] = (around || {}).merge(context)
          at_length = host.environment == "development" || host.log_level == "debug"
          host.logger.info { [short(exception), *(details(host, exception) if at_length)].join("\n") }
        ensure
          Thread.current[:sidekiq_context] = around
        end

        # Ruby 3.2 has a form for it, in which other libraries say more.
        def short(exception)
          return plain(exception) unless exception.respond_to?(:detailed_message)

          String(exception.detailed_message(highlight: false))
        rescue Exception # rubocop:disable Lint/RescueException -- the application's, as its message may be
          plain(exception)
        end

        def plain(exception)
          raised = Raised.new(exception) { |_| nil }
          "#{raised.message} (#{raised.class_name || Foreign.class_of(exception)})"
        end

        def details(host, exception)
          Raised.causes(exception).drop(1).map { |cause| "  caused by #{short(cause)}" } +
            backtrace(host, exception).map { |line| "  from #{line}" }
        rescue Exception # rubocop:disable Lint/RescueException -- as above
          []
        end

        def backtrace(host, exception)
          lines = exception.backtrace || []
          lines = host.backtrace_cleaner.call(lines) if host.backtrace_cleaner
          lines.reject { |line| line.start_with?(OWN) }
        end
      end
    end
  end
end
