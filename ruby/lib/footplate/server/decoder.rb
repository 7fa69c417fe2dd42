# frozen_string_literal: true

module Footplate
  module Server
    ##
    # Reads a job's payload. What is no job goes to the dead set as it is.
    class Decoder
      def initialize(host, json)
        @host = host
        @json = json
      end

      # What somebody else raises in this thread meanwhile says nothing about the payload: it waits until the
      # payload was judged.
      # @param job [Footplate::Native::Job]
      # @return [Hash, nil] nil when the outcome was handed in
      def call(job)
        Thread.handle_interrupt(Object => :never) { read(job) }
      end

      private

      def read(job)
        payload = @json.load(job.payload)
        return payload if payload.is_a?(Hash)

        raise ArgumentError, "a job is a JSON object, this is #{payload.class}"
      rescue StandardError => e
        job.malformed
        @host.handle_exception(e, { context: "Invalid JSON for job", jobstr: job.payload })
        nil
      end
    end
  end
end
