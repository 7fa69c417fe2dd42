# frozen_string_literal: true

require "footplate/server/replaced_parts"

module Footplate
  module Server
    ##
    # Runs a job inside the middleware of Sidekiq's chain, as the chain's own `invoke` does from 7 on: all instances are
    # made first, then each is called and yields to the next. With three arguments for all, where the chain gathers and
    # spreads out an array at each step, which is a fifth of what five middlewares cost that only yield.
    class MiddlewareRun
      # @param chain [Sidekiq::Middleware::Chain, Footplate::Middleware::Chain]
      # @return [MiddlewareRun, nil] nil where the chain is another, or somebody has changed it: it is to be asked then
      def self.for(chain)
        return unless defined?(::Sidekiq::Middleware::Chain) && chain.instance_of?(::Sidekiq::Middleware::Chain)
        # In 6.4 a middleware that yields twice runs the job twice, but not what stands between them.
        return unless chain.class.private_method_defined?(:traverse)
        return if chain.singleton_methods.any? || ReplacedParts.changed?(chain.class)

        new(chain)
      end

      def initialize(chain)
        @chain = chain
      end

      def call(instance, payload, queue)
        step(@chain.entries.map(&:make_new), 0, instance, payload, queue)
      end

      private

      def step(links, index, instance, payload, queue)
        link = links[index] or return instance.perform(*payload["args"])
        link.call(instance, payload, queue) { step(links, index + 1, instance, payload, queue) }
      end
    end
  end
end
