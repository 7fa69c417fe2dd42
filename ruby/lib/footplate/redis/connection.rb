# frozen_string_literal: true

module Footplate
  module Redis
    ##
    # One connection with the same two methods over every client an application may have: RedisClient, Redis
    # (the redis gem), and what Sidekiq's own pools hold.
    class Connection
      PRIMARY_LOST = /READONLY|NOREPLICAS|UNBLOCKED/
      private_constant :PRIMARY_LOST

      class << self
        # @raise [ArgumentError] for redis-namespace, which passes `call` on without adding its prefix
        def wrap(raw)
          return raw if raw.is_a?(self)
          if defined?(::Redis::Namespace) && raw.is_a?(::Redis::Namespace)
            raise ArgumentError, "Footplate::Client cannot push through redis-namespace; use Sidekiq::Client"
          end

          new(raw)
        end

        # Whether the error says that this server is no longer a primary we may write to.
        def primary_lost?(error)
          redis_error?(error) && error.message.match?(PRIMARY_LOST)
        end

        private

        def redis_error?(error)
          (defined?(::RedisClient::Error) && error.is_a?(::RedisClient::Error)) ||
            (defined?(::Redis::BaseError) && error.is_a?(::Redis::BaseError))
        end
      end

      def initialize(raw)
        @raw = raw
      end

      # Sends one command. Arguments are strings, symbols, numbers, or one level of arrays of these.
      # Replies are those of RESP2: strings, integers, arrays, nil. (On a pool that Footplate did not make, as
      # that pool's protocol has it.)
      def call(*command)
        @raw.call(*command)
      end

      # Sends all commands of the block in one round trip. Not a transaction.
      # @yieldparam pipeline [#call]
      # @return [Array] the replies, in order
      # @raise the first error among the replies, after all commands were executed
      def pipelined(&block)
        @raw.pipelined(&block)
      end

      # Closes the socket; the next command opens a new one.
      def close
        @raw.close
      end
    end
  end
end
