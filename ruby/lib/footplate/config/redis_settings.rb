# frozen_string_literal: true

module Footplate
  class Config
    ##
    # Where Redis is. The client makes its pool from this, the engine its own connections.
    module RedisSettings
      # How to reach Redis: url, or host, port, db, username, password, path (unix socket), ssl, ssl_params,
      # sentinels with name, timeout (seconds); for the client's pool also size and pool_timeout (seconds).
      # Given twice, the later options are merged over the earlier. A sidekiq gem that was not told of a Redis
      # by then gets the same one.
      # @raise [ArgumentError] for anything but a Hash: the engine makes its own connections from these
      #   options and can read none out of a pool
      def redis=(options)
        unless options.is_a?(Hash)
          raise ArgumentError, "redis must be a Hash of connection options, not a #{options.class}"
        end

        @lock.synchronize do
          @redis = @redis.to_h.merge(options.transform_keys(&:to_sym))
          @redis_pool = nil
        end
        SidekiqGem.adopt_redis { gem_options }
      end

      # Called from time to time, because the gem may have been loaded since, and it does not say when it is.
      def share_redis
        SidekiqGem.adopt_redis { gem_options } if redis_configured? && !SidekiqGem.redis?
      end

      # Whether the application has set options; the environment does not count.
      def redis_configured?
        !@redis.nil?
      end

      # @return [Hash{Symbol => Object}] what was set, with the address from REDIS_PROVIDER or REDIS_URL when it
      #   has none; without :url, :host, :path and :sentinels it means localhost:6379
      def redis_options
        Redis::Options.resolve(@redis.to_h)
      end

      # Yields a connection of the pool; see Footplate.redis.
      def redis(&block)
        Redis.with(redis_pool, &block)
      end

      # The client's pool, made at first use.
      def redis_pool
        share_redis
        @redis_pool || @lock.synchronize { @redis_pool ||= Redis::Pool.new(redis_options) }
      end

      private

      def gem_options
        redis_options.except(*Redis::Options::POOL)
      end
    end
  end
end
