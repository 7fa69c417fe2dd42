# frozen_string_literal: true

require "footplate/server/job/job_blocks"
require "footplate/server/job/mishaps"
require "footplate/server/job/raised"
require "footplate/server/text/log_text"

module Footplate
  module Server
    ##
    # What happens when a job raises.
    #
    # 1. The engine reads the payload and says whether it may run again.
    # 2. The application is asked: sidekiq_retry_in, or the exhausted block.
    # 3. The outcome is handed to the engine, which writes it in one step with the acknowledgement.
    # 4. Death handlers hear of jobs that will not run again.
    #
    # The order and the arguments are those of Sidekiq::JobRetry; what changed between its versions is asked
    # of SidekiqVersion. Whatever the application's code raises on the way is a mishap and changes nothing about the
    # job's own failure.
    class Failure
      attr_reader :mishaps

      def initialize(facade, json)
        @facade = facade
        @json = json
        @version = facade.sidekiq_version
        @mishaps = Mishaps.new(facade)
        @blocks = JobBlocks.new(@version, json, @mishaps, with_gem: facade.gem?)
        @unreadable = ->(error) { @mishaps.report(error, "Error reading the exception of a job") }
      end

      # The failure of a job that has an instance, whose class has a say.
      # @return [Boolean] whether it was recorded; if not, `global` decides
      def local(job, exception, instance)
        klass = Foreign.class_of(instance)
        record(job, exception, job.asks_class? ? @blocks.retry_option(klass) : nil, klass)
      end

      # Any other failure, or one that `local` did not record.
      def global(job, exception)
        return if record(job, exception, nil, nil)

        job.dropped
        bury_with(load(job.payload), exception)
      end

      private

      def record(job, exception, class_retry, klass)
        raised = Raised.new(exception, &@unreadable)
        wanted = job.backtrace
        backtrace = raised.backtrace(wanted, @json, @facade.backtrace_cleaner) if wanted
        case job.fail(raised.class_name, raised.message, backtrace, class_retry)
        when :ignored then return false
        when :exhausted then exhausted(job, exception, klass)
        else again(job, exception, klass)
        end
        true
      end

      # The failure is recorded even if the application's block ends the thread.
      def again(job, exception, klass)
        case (delay = @blocks.delay(job, exception, klass))
        when :discard then discarded(job, exception)
        when :kill then exhausted(job, exception, klass)
        else job.retry(delay)
        end
      ensure
        job.retry(nil) unless job.settled?
      end

      def exhausted(job, exception, klass)
        payload = load(job.failed_payload)
        discard = @blocks.exhausted(job, exception, klass, payload) && @version.exhausted_decides?
        kept = job.dead? && !discard
        discard ? job.dropped : job.bury
        say_dead(payload) if kept
        payload = payload.merge("discarded_at" => now) if @version.stamps_discards? && !kept
        bury_with(payload, exception) unless discard && !@version.discard_is_death?
      ensure
        job.bury unless job.settled?
      end

      # In milliseconds.
      def now
        Process.clock_gettime(Process::CLOCK_REALTIME, :millisecond)
      end

      def say_dead(payload)
        @mishaps.attempt("Error writing to the log") do
          @facade.logger.info { LogText.visible("Adding dead #{payload["class"]} job #{payload["jid"]}") }
        end
      end

      def discarded(job, exception)
        payload = job.discarded_payload
        job.dropped
        bury_with(load(payload), exception) if @version.discard_is_death?
      end

      def bury_with(payload, exception)
        @facade.death_handlers.each do |handler|
          @mishaps.attempt("Error calling death handler", job: payload) { handler.call(payload, exception) }
        end
      end

      def load(payload)
        @mishaps.attempt("Error reading the payload of a failed job") { @json.load(payload) } || {}
      end
    end
  end
end
