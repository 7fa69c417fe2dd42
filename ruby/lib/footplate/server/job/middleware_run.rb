# frozen_string_literal: true

require "footplate/server/replaced_parts"
require "footplate/sidekiq_version"

module Footplate
  module Server
    ##
    # Runs a job inside the middleware of Sidekiq's chain, as the chain's own `invoke` does from 7 on: all instances are
    # made first, then each is called and yields to the next. With three arguments for all, where the chain gathers and
    # spreads out an array at each step, which is a fifth of what five middlewares cost that only yield.
    class MiddlewareRun
      # Asked when the workers start: who changes the chain's class later is not heard.
      # @param chain [Sidekiq::Middleware::Chain, Footplate::Middleware::Chain]
      # @return [MiddlewareRun, nil] nil where the chain is another, or somebody has changed it: it is to be asked then
      def self.for(chain)
        return unless defined?(::Sidekiq::Middleware::Chain) && chain.instance_of?(::Sidekiq::Middleware::Chain)
        return unless SidekiqVersion.loaded.makes_middleware_first?
        return if own_methods?(chain) || ReplacedParts.changed?(chain.class)

        new(chain)
      end

      def self.own_methods?(chain)
        own = chain.singleton_class
        own.ancestors.take_while { |it| it != chain.class } != [own] ||
          own.instance_methods(false).any? || own.private_instance_methods(false).any?
      end
      private_class_method :own_methods?

      def initialize(chain)
        @chain = chain
      end

      def call(instance, payload, queue)
        step(@chain.entries.map(&:make_new), 0, instance, payload, queue)
      end

      private

      def step(links, index, instance, payload, queue)
        return instance.perform(*payload["args"]) if index == links.size

        links[index].call(instance, payload, queue) { step(links, index + 1, instance, payload, queue) }
      end
    end
  end
end
