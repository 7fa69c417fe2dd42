# frozen_string_literal: true

module Footplate
  module Server
    module Host
      ##
      # An error in the log of an application without the sidekiq gem, as Sidekiq 8's own error handler writes
      # it: one line with the context before it, and the backtrace for a developer.
      module ErrorLine
        module_function

        # @param host [Host::Base]
        def write(host, exception, context)
          around = Thread.current[:sidekiq_context]
          Thread.current[:sidekiq_context] = (around || {}).merge(context)
          at_length = host.environment == "development" || host.log_level == "debug"
          host.logger.info { at_length ? exception.full_message(highlight: false) : short(exception) }
        ensure
          Thread.current[:sidekiq_context] = around
        end

        def short(exception)
          "#{exception.message} (#{exception.class})"
        end
      end
    end
  end
end
