# frozen_string_literal: true

require "footplate/server/replaced_parts"
require "footplate/sidekiq_version"

module Footplate
  module Server
    ##
    # Runs a job inside the middleware of Sidekiq's chain, as the chain's own `invoke` does from 7 on: all instances are
    # made first, then each is called and yields to the next. Here all get three arguments, while the chain packs and
    # unpacks an array at each step, which is a fifth of the cost of five middlewares that only yield.
    class MiddlewareRun
      # Decided when the workers start: later changes to the chain's class have no effect.
      # @param chain [Sidekiq::Middleware::Chain, Footplate::Middleware::Chain]
      # @return [MiddlewareRun, nil] nil if it is another chain or somebody has changed it, which must then be called
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
