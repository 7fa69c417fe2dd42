# frozen_string_literal: true

require "footplate/server/job/promoter"

module Footplate
  module Server
    ##
    # What happens to a job that was interrupted (Sidekiq::Job::Interrupted, 7.3 and newer) because the process stops,
    # or because an iterable job has run for as long as it may: it goes through client middleware to the back of its
    # queue, with the same jid, and continues later. In the gem a server middleware does this in two steps; here it is
    # one step with the acknowledgement.
    class Interruption
      # @param capsule [Facade::Capsule] whose jobs it is for
      # @param launcher [#stopping?]
      # @return [Interruption, nil] nil unless the gem's own middleware for it is still in the chain
      def self.for(facade, capsule, json, controls, launcher)
        new(facade, json, controls, launcher) if controls.interrupted && facade.hands_back?(capsule.name)
      end

      def initialize(facade, json, controls, launcher)
        @facade = facade
        @launcher = launcher
        @promoter = Promoter.new(facade, json)
        @controls = controls
      end

      # @return [Boolean] whether the job was interrupted; then its outcome has been handed in
      def handle?(job, exception, instance, payload)
        return false unless Foreign.a?(@controls.interrupted, exception) && gives_way?(instance)

        case (answer = @promoter.push(payload))
        when Array then job.requeued(answer.last)
        else job.skipped
        end
        true
      end

      private

      # A job that raises it of its own accord has failed: back in its queue it would do so again and again. So would
      # one whose time limit is zero.
      def gives_way?(instance)
        return true if @launcher.stopping?

        @facade[:max_iteration_runtime].to_f.positive? && Foreign.a?(::Sidekiq::Job::Iterable, instance)
      end
    end
  end
end
