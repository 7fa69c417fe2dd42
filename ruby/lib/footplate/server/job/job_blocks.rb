# frozen_string_literal: true

require "footplate/server/job/foreign"

module Footplate
  module Server
    ##
    # What a job's class says about its failures: its `retry` option, sidekiq_retry_in, and the exhausted block.
    class JobBlocks
      # @param version [SidekiqVersion] whose rules count
      # @param mishaps [Mishaps]
      # @param with_gem [Boolean] whether the application's classes are the sidekiq gem's
      def initialize(version, json, mishaps, with_gem:)
        @version = version
        @json = json
        @mishaps = mishaps
        @with_gem = with_gem
      end

      # @return [String] the option as JSON
      def retry_option(klass)
        json = @mishaps.attempt("Error reading the retry option of #{Foreign.name_of(klass)}") do
          String(@json.dump(klass.respond_to?(:get_sidekiq_options) ? klass.get_sidekiq_options["retry"] : true))
        end
        json || "true"
      end

      # @return [Float, Symbol, nil] seconds, :discard, :kill, or nil for the default formula
      def delay(job, exception, klass)
        block = find(job, klass, :sidekiq_retry_in_block) or return
        payload = @json.load(job.failed_payload)
        arguments = [payload["retry_count"], exception]
        arguments << payload if @version.retry_in_takes_payload?
        meant(block.call(*arguments))
      rescue Exception => e # rubocop:disable Lint/RescueException
        name = klass ? Foreign.name_of(klass) : job.wrapped
        block = @with_gem ? "sidekiq_retry_in" : "retry_in"
        @mishaps.report(e, "#{block} of #{name} failed; the job is retried by the default formula")
        nil
      end

      # @return [Boolean] whether the job is to be discarded
      def exhausted(job, exception, klass, payload)
        answer = @mishaps.attempt("Error calling retries_exhausted", job: payload) do
          find(job, klass, :sidekiq_retries_exhausted_block)&.call(payload, exception)
        end
        :discard.equal?(answer)
      end

      private

      def meant(answer)
        word = %i[discard kill].find { |it| it.equal?(answer) } if @version.retry_in_decides?
        return word if word

        answer = answer.to_i if answer.respond_to?(:to_i)
        answer.to_f if Foreign.a?(Integer, answer) && answer.positive?
      end

      # The wrapped class's block and no other, when there is a wrapped class.
      def find(job, klass, name)
        wrapped = job.wrapped if @version.blocks_of_wrapped?
        klass = wrapped_class(wrapped) if wrapped
        klass.public_send(name) if klass.respond_to?(name)
      end

      # The gem reports a class that cannot be loaded as a failure of its block. Without the gem it is not reported: the
      # job's own failure already says so.
      def wrapped_class(name)
        Object.const_get(name)
      rescue StandardError, ScriptError
        raise if @with_gem
      end
    end
  end
end
