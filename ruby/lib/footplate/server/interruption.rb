# frozen_string_literal: true

module Footplate
  module Server
    ##
    # An iterable job gave way because the process stops (Sidekiq::Job::Interrupted, 7.3 and newer): it goes
    # to the back of its queue with the same jid, through client middleware, and goes on later. In the gem a
    # server middleware does this with two steps; here it is one with the acknowledgement.
    class Interruption
      def initialize(host, json, controls)
        @promoter = Promoter.new(host, json)
        @json = json
        @controls = controls
      end

      # @return [Boolean] whether that is what happened, and the outcome was handed in
      def handle?(job, exception, payload)
        return false unless exception.is_a?(@controls.interrupted)

        case (answer = @promoter.push(payload))
        when Array then job.requeued(answer.last)
        else job.skipped
        end
        true
      end
    end
  end
end
