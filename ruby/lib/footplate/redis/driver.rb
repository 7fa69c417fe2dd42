# frozen_string_literal: true

module Footplate
  module Redis
    ##
    # Makes connections with whichever gem the application has: redis-client (which the redis gem from 5.0 on
    # is made of), or else redis 4.
    module Driver
      class << self
        # @param options [Hash] from Options.connection
        # @return [Proc] makes one unconnected client per call
        # @raise [LoadError] when neither gem is there
        def factory(options)
          redis_client? ? redis_client(options) : redis_gem(options)
        end

        private

        def redis_client?
          require "redis_client"
          true
        rescue LoadError
          false
        end

        # RESP2, so that replies have the same shape with both gems.
        def redis_client(options)
          options = { protocol: 2 }.merge(options)
          options[:role] = options[:role].to_sym if options[:role]
          config = options.key?(:sentinels) ? ::RedisClient.sentinel(**options) : ::RedisClient.config(**options)
          -> { config.new_client }
        end

        def redis_gem(options)
          require_redis_gem
          # The master's name goes where a host would be in redis 4.
          options = options.merge(host: options[:name]) if options[:sentinels] && options[:name]
          # Without a URL it takes REDIS_URL's parts for those that no option names.
          options = { url: false }.merge(options.except(:name, :protocol))
          options[:password] = options[:password].call(options[:username]) if options[:password].respond_to?(:call)
          -> { ::Redis.new(**options) }
        end

        def require_redis_gem
          require "redis"
        rescue LoadError
          raise LoadError, "Footplate needs the redis-client or the redis gem to reach Redis: add one to the Gemfile"
        end
      end
    end
  end
end
