# frozen_string_literal: true

module Footplate
  class Config
    ##
    # The application's handlers for errors and for jobs that died. A handler that fails must take down neither
    # the job's bookkeeping nor the handlers behind it.
    module Handlers
      # @return [Array<#call>] called (exception, context Hash, config). Empty means that only the server's own
      #   log line is written.
      def error_handlers
        @error_handlers ||= []
      end

      # @return [Array<#call>] called (job Hash, exception) for each job that will not be retried
      def death_handlers
        @death_handlers ||= []
      end

      # Hands an exception to every error handler. Those that take two arguments, as before Sidekiq 7.1.5, get two.
      # @param context [Hash] with :context, and :job for a job's failure
      def handle_exception(exception, context = {})
        error_handlers.each do |handler|
          handler.call(*[exception, context, self].first(arguments_of(handler)))
        rescue Exception => e # rubocop:disable Lint/RescueException -- whatever it raises, the next one must run
          report("An error handler failed", e)
        end
      end

      private

      # As many as it can take. Sidekiq 7 looks for two in the same way.
      def arguments_of(handler)
        callable = handler.respond_to?(:parameters) ? handler : handler.method(:call)
        kinds = callable.parameters.map(&:first)
        kinds.include?(:rest) ? 3 : kinds.count { |kind| %i[req opt].include?(kind) }.clamp(0, 3)
      end

      def report(what, exception)
        logger.error("#{what}: #{exception.full_message(highlight: false)}")
      rescue Exception # rubocop:disable Lint/RescueException -- it may be of a kind that cannot be asked
        logger.error("#{what}, and what it raised cannot be written")
      end
    end
  end
end
