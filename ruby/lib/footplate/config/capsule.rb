# frozen_string_literal: true

require "forwardable"

module Footplate
  class Config
    ##
    # Queues that share a number of threads, apart from those of other capsules. Has Sidekiq's names (7.0 on).
    class Capsule
      extend Forwardable

      # Sidekiq's default from 7.0 on.
      DEFAULT_CONCURRENCY = 5

      # @return [String]
      attr_reader :name
      # @return [Config]
      attr_reader :config
      # @return [Integer] threads
      attr_reader :concurrency
      # @return [Hash{String => Integer}] 0 for a queue that was given no weight
      attr_reader :weights

      def initialize(name, config)
        @name = name
        @config = config
        @concurrency = Integer(ENV.fetch("RAILS_MAX_THREADS", DEFAULT_CONCURRENCY))
        self.queues = ["default"]
      end

      # @raise [ArgumentError] unless it is a number above 0
      def concurrency=(threads)
        threads = Integer(threads)
        raise ArgumentError, "concurrency: #{threads} is not a valid value" unless threads.positive?

        @concurrency = threads
      end

      # @param list [Array, Hash, String] "critical", "critical,2", ["critical", 2] or {"critical" => 2}
      def queues=(list)
        pairs = list.is_a?(Hash) ? list.to_a : Array(list).map { |queue| split(queue) }
        @weights = pairs.to_h { |name, weight| [name.to_s, weight.to_i] }
      end

      # @return [Array<String>] each name as often as its weight, as Sidekiq's Capsule#queues answers
      def queues
        @weights.flat_map { |queue, weight| [queue] * [weight, 1].max }
      end

      # @return [:strict, :random, :weighted] in the order given; in any order; by weight
      def mode
        return :strict if @weights.values.all?(&:zero?)

        @weights.values.all?(1) ? :random : :weighted
      end

      # A copy of the application's chain, made when first asked for, that may be changed for this capsule.
      def server_middleware
        @server_middleware ||= @config.server_middleware.copy_for(self)
        yield @server_middleware if block_given?
        @server_middleware
      end

      # As server_middleware.
      def client_middleware
        @client_middleware ||= @config.client_middleware.copy_for(self)
        yield @client_middleware if block_given?
        @client_middleware
      end

      # What middleware that was given this capsule as its `config` asks for.
      def_delegators :@config, :redis, :logger, :[]

      private

      def split(queue)
        queue.is_a?(String) ? queue.split(",") : queue
      end
    end
  end
end
