# frozen_string_literal: true

require "footplate/server/log_text"

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
    # of the host's generation.
    class Failure
      BROKEN_MESSAGE = "!!! ERROR MESSAGE THREW AN ERROR !!!"

      def initialize(host, json)
        @host = host
        @json = json
        @version = Gem::Version.new(host.generation || "8.1.7")
        @passes_payload = @version >= Gem::Version.new("7.0.8")
        @asks_wrapped = @version >= Gem::Version.new("7.1.3")
        @knows_words = @version >= Gem::Version.new("6.5.2")
        @exhausted_discards = @version >= Gem::Version.new("7.2")
        @discard_is_death = @version >= Gem::Version.new("8.0.7")
      end

      # The failure of a job that has an instance, whose class has a say.
      # @return [Boolean] whether it was recorded; if not, `global` decides
      def local(job, exception, instance)
        klass = instance.class
        retries = klass.respond_to?(:get_sidekiq_options) ? klass.get_sidekiq_options["retry"] : true
        record(job, exception, retries, klass)
      end

      # Any other failure, or one that `local` did not record.
      def global(job, exception)
        return if record(job, exception, :unknown, nil)

        job.dropped
        bury_with(@json.load(job.payload), exception)
      end

      private

      def record(job, exception, class_retry, klass)
        case job.fail(exception.class.name.to_s, message(exception), backtrace(job, exception), class_retry)
        when :ignored then return false
        when :exhausted then exhausted(job, exception, klass)
        else again(job, exception, klass)
        end
        true
      end

      def again(job, exception, klass)
        case (delay = delay(job, exception, klass))
        when :discard then discarded(job, exception)
        when :kill then exhausted(job, exception, klass)
        else job.retry(delay)
        end
      end

      # @return [Integer, Symbol, nil] seconds, :discard, :kill, or nil for the default formula
      def delay(job, exception, klass)
        block = block_of(job, klass, :sidekiq_retry_in_block) or return
        arguments = [job.count, exception]
        arguments << payload(job) if @passes_payload
        answer = block.call(*arguments)
        return answer if @knows_words && %i[discard kill].include?(answer)

        answer = answer.to_i if answer.respond_to?(:to_i)
        answer if answer.is_a?(Integer) && answer.positive?
      rescue Exception => e # rubocop:disable Lint/RescueException
        block = "#{"sidekiq_" if @host.generation}retry_in"
        context = "#{block} of #{klass || job.wrapped} failed; the job is retried by the default formula"
        @host.handle_exception(e, { context: context })
        nil
      end

      def exhausted(job, exception, klass)
        payload = payload(job)
        answer = call_exhausted(job, exception, klass, payload)
        if @exhausted_discards && answer == :discard
          job.dropped
        else
          @host.logger.info { LogText.visible("Adding dead #{payload["class"]} job #{payload["jid"]}") } if job.dead?
          job.bury
        end
        bury_with(payload, exception) unless answer == :discard && @exhausted_discards && !@discard_is_death
      end

      def call_exhausted(job, exception, klass, payload)
        block_of(job, klass, :sidekiq_retries_exhausted_block)&.call(payload, exception)
      rescue StandardError => e
        @host.handle_exception(e, { context: "Error calling retries_exhausted", job: payload })
      end

      def discarded(job, exception)
        payload = @discard_is_death && @json.load(job.discarded_payload)
        job.dropped
        bury_with(payload, exception) if payload
      end

      def bury_with(payload, exception)
        @host.death_handlers.each do |handler|
          handler.call(payload, exception)
        rescue StandardError => e
          @host.handle_exception(e, { context: "Error calling death handler", job: payload })
        end
      end

      # The wrapped class's block and no other, when there is a wrapped class.
      def block_of(job, klass, name)
        wrapped = job.wrapped if @asks_wrapped
        klass = Object.const_get(wrapped) if wrapped
        klass.public_send(name) if klass.respond_to?(name)
      end

      def payload(job)
        @json.load(job.failed_payload)
      end

      def message(exception)
        exception.message.to_s
      rescue Exception # rubocop:disable Lint/RescueException
        BROKEN_MESSAGE.dup
      end

      def backtrace(job, exception)
        wanted = job.backtrace or return
        lines = exception.backtrace or return
        lines = @host.backtrace_cleaner.call(lines) if @host.backtrace_cleaner
        wanted.is_a?(Integer) ? lines[0...wanted] : lines
      end
    end
  end
end
