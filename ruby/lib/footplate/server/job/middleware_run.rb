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
      # In 6.4 a middleware that yields twice runs the job twice, but not what stands between them.
      KNOWN = %w[7 8].freeze

      # Asked when the workers start: who changes the chain's class later is not heard.
      # @return [MiddlewareRun, nil] nil where the chain is another, or somebody has changed it: it is to be asked then
      def self.for(chain)
        return unless defined?(::Sidekiq::Middleware::Chain) && chain.instance_of?(::Sidekiq::Middleware::Chain)
        return unless KNOWN.include?(::Sidekiq::VERSION[/\d+/])
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
