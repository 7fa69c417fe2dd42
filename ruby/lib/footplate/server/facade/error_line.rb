# frozen_string_literal: true

require "footplate/server/job/raised"

module Footplate
  module Server
    module Facade
      ##
      # An error in the log of an application without the sidekiq gem, as Sidekiq 8's own error handler writes
      # it: one line with the context before it. For a developer the backtrace follows, without the lines of this gem,
      # which are no help, and only of the exception itself, since a cause has most of its lines in common.
      module ErrorLine
        # Of this gem.
        OWN = File.expand_path("../..", __dir__)

        module_function

        # @param facade [Facade::Base]
        def write(facade, exception, context)
          around = Thread.current[:sidekiq_context]
          Thread.current[:sidekiq_context] = (around || {}).merge(context)
          at_length = facade.environment == "development" || facade.log_level == "debug"
          facade.logger.info { [short(exception), *(details(facade, exception) if at_length)].join("\n") }
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

        def details(facade, exception)
          Raised.causes(exception).drop(1).map { |cause| "  caused by #{short(cause)}" } +
            backtrace(facade, exception).map { |line| "  from #{line}" }
        rescue Exception # rubocop:disable Lint/RescueException -- as above
          []
        end

        def backtrace(facade, exception)
          lines = exception.backtrace || []
          lines = facade.backtrace_cleaner.call(lines) if facade.backtrace_cleaner
          lines.reject { |line| line.start_with?(OWN) }
        end
      end
    end
  end
end
