# frozen_string_literal: true

require "footplate/server/job/failure"

module Footplate
  module Server
    ##
    # The two layers around a job that record its failure, nested as in Sidekiq::JobRetry. The inner one knows the
    # job's instance, whose class has a say; the outer one records what is raised between the two. Once a failure is
    # recorded, `handled` is raised in its place. In a child that the job forked nothing is recorded, and what is
    # raised there ends the child.
    class JobRetry
      # @param failure [Failure]
      # @param controls [Controls]
      def initialize(failure, controls)
        @failure = failure
        @controls = controls
      end

      def local(job, instance)
        yield
      rescue Exception => e # rubocop:disable Lint/RescueException
        raise if job.forked?

        pass_on(e)
        raise unless uninterrupted { @failure.local(job, e, instance) }

        raise @controls.handled
      end

      def global(job)
        yield
      rescue Exception => e # rubocop:disable Lint/RescueException
        raise if job.forked?

        pass_on(e)
        raise_again(e) if job.settled?
        uninterrupted { @failure.global(job, e) }
        raise @controls.handled
      end

      # Both for a job that ran without layers.
      def record(job, exception, instance)
        return if instance && @failure.local(job, exception, instance)

        @failure.global(job, exception)
      end

      # A failure that is being recorded is no longer the job's: shutdown waits for it.
      def uninterrupted(&block)
        Thread.handle_interrupt(@controls.shutdown => :never, &block)
      end

      private

      def pass_on(exception)
        raise if Foreign.a?(@controls.handled, exception)
        raise @controls.shutdown if @controls.shutdown?(exception)
      end

      # The failure has been recorded, and this is another one, raised by whatever logs the first.
      def raise_again(exception)
        @failure.mishaps.report(exception, "Raised on the way out of a failed job")
        recorded = Raised.causes(exception).find { |cause| Foreign.a?(@controls.handled, cause) }
        raise @controls.handled, cause: recorded ? recorded.cause : exception
      end
    end
  end
end
