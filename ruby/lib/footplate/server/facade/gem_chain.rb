# frozen_string_literal: true

module Footplate
  module Server
    module Facade
      ##
      # Reads the server middleware of a Sidekiq::Capsule: the capsule's own chain, as documented since 7.0. (8.1.7 runs
      # the global one, apparently by mistake.)
      module GemChain
        # The gem's own middleware. The engine counts executions and hands interrupted jobs back itself, and doing so
        # twice would be wrong. An application that has taken one of them out of its chain does not want its work done.
        METRICS = "Sidekiq::Metrics::Middleware"
        HAND_BACK = "Sidekiq::Job::InterruptHandler"

        module_function

        # A copy without the two; the application still sees them in its own chain.
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
