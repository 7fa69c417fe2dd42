# frozen_string_literal: true

module Footplate
  module Server
    ##
    # Runs the application's client middleware over a job that goes back to a queue: from the schedule, from
    # the retry set, or interrupted. Does to the payload what a push by the application's client does, short
    # of writing it: that is the engine's, in one step with the removal.
    class Promoter
      def initialize(facade, json)
        @facade = facade
        @json = json
        @milliseconds = facade.sidekiq_version.milliseconds?
      end

      # @param string [String] a payload as it stands in Redis
      # @return [Array(String, String), Symbol] queue and payload, :veto, :malformed or :keep
      def call(string)
        payload = parse(string)
        payload ? push(payload) : :malformed
      rescue Exception => e # rubocop:disable Lint/RescueException
        context = "Client middleware failed on a due job; it stays scheduled"
        @facade.handle_exception(e, { context:, jobstr: string })
        :keep
      end

      # @param payload [Hash] changed in place
      # @return [Array(String, String), Symbol] queue and payload, or :veto
      def push(payload)
        payload = @facade.normalize(payload)
        pushed = @facade.client_middleware.invoke(payload["class"], payload, payload["queue"], @facade.redis_pool) do
          payload
        end
        return :veto unless pushed

        pushed["enqueued_at"] = now
        [pushed["queue"], @json.dump(pushed)]
      end

      private

      def parse(string)
        payload = @json.load(string)
        payload if payload.is_a?(Hash)
      rescue StandardError
        nil
      end

      def now
        @milliseconds ? Process.clock_gettime(Process::CLOCK_REALTIME, :millisecond) : Time.now.to_f
      end
    end
  end
end
