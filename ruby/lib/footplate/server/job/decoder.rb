# frozen_string_literal: true

module Footplate
  module Server
    ##
    # Reads a job's payload. What is not a job goes to the dead set unchanged. The engine builds what JSON.parse would,
    # except where the application reads JSON in its own way, or where the engine is not sure of what JSON.parse does.
    class Decoder
      def initialize(facade, json)
        @facade = facade
        @json = json
        @native = !facade.custom_json?
      end

      # An exception that another thread raises here meanwhile says nothing about the payload, so it has to wait.
      # @param job [Footplate::Native::Job]
      # @return [Hash, nil] nil when the outcome was handed in
      def call(job)
        native(job) || Thread.handle_interrupt(Object => :never) { read(job) }
      end

      # Another copy of a payload that was read before.
      # @return [Hash, nil] nil where the application's parser does not agree with the engine's
      def again(job)
        native(job) || @json.load(job.payload)
      rescue StandardError
        nil
      end

      private

      def native(job)
        job.decoded if @native
      end

      def read(job)
        payload = @json.load(job.payload)
        return payload if payload.is_a?(Hash)

        raise ArgumentError, "a job is a JSON object, this is #{payload.class}"
      rescue StandardError => e
        job.malformed
        @facade.handle_exception(e, { context: "Invalid JSON for job", jobstr: job.payload })
        nil
      end
    end
  end
end
