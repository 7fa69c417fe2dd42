# frozen_string_literal: true

require "footplate/server/job/job_retry"

module Footplate
  module Server
    ##
    # Ends a job that has raised. An exception that steers the job is obeyed; any other is its failure, which is
    # recorded and reported.
    class Ending
      # @param interruption [Interruption, nil]
      def initialize(facade, controls, retrying, interruption)
        @facade = facade
        @controls = controls
        @retry = retrying
        @interruption = interruption
      end

      # Of a job that ran without layers around it.
      # @param instance [Object, nil] nil when there was none yet
      def native(job, exception, instance, payload)
        return if signalled?(job, exception, payload)

        exception = failure(job, exception, instance, payload) or return
        begin
          @retry.record(job, exception, instance)
        ensure
          report(job, exception, payload)
        end
      end

      # Of a job whose exception has passed through all layers.
      def outermost(job, exception, payload)
        return if signalled?(job, exception, payload)

        @facade.handle_exception(exception, { context: "Internal exception!", job: payload, jobstr: job.payload })
        @retry.uninterrupted { @retry.record(job, exception, nil) } unless job.settled?
      end

      private

      # @return [Boolean] whether the exception steers the job; then its outcome has been handed in
      def signalled?(job, exception, payload)
        case exception
        when @controls.skip then job.skipped
        when @controls.handled then handled(job, exception, payload)
        else
          return false unless @controls.shutdown?(exception)

          job.interrupted
        end
        true
      end

      # The failure was recorded in the layers, or by middleware that has its own way with the job: it is only counted.
      def handled(job, exception, payload)
        job.skipped
        report(job, Raised.cause(exception) || exception, payload)
      end

      # @return [Exception, nil] nil when the job gave way and was handed back
      def failure(job, exception, instance, payload)
        exception unless @interruption&.handle?(job, exception, instance, payload)
      rescue Exception => e # rubocop:disable Lint/RescueException
        e
      end

      # The lines of the job itself are complete: the report of its error does not carry their context.
      def report(job, exception, payload)
        Thread.current[:sidekiq_context] = nil
        context = { context: "Job raised exception", job: payload }
        context[:jobstr] = job.payload unless @facade.sidekiq_version.error_handlers_without_jobstr?
        @facade.handle_exception(exception, context)
      end
    end
  end
end
