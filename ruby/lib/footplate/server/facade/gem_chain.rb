# frozen_string_literal: true

module Footplate
  module Server
    module Facade
      ##
      # Reads the server middleware of a Sidekiq::Capsule: the capsule's own chain, as documented for 7 on (8.1.7
      # runs the global one, by mistake it seems).
      module GemChain
        # Of the gem's own middleware; the engine counts executions and hands interrupted jobs back itself, and
        # twice would be wrong. An application that took them out of its chain wants neither.
        METRICS = "Sidekiq::Metrics::Middleware"
        HAND_BACK = "Sidekiq::Job::InterruptHandler"

        module_function

        # A copy without what the engine does: what the application sees in its chains stays.
        # @param capsule [Sidekiq::Capsule]
        def around_jobs(capsule)
          chain = capsule.server_middleware.copy_for(capsule)
          chain.entries.reject! { |entry| [METRICS, HAND_BACK].include?(entry.klass.to_s) }
          chain
        end

        def include?(capsule, name)
          capsule.server_middleware.any? { |entry| entry.klass.to_s == name }
        end
      end
    end
  end
end
