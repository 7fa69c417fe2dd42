# frozen_string_literal: true

module Footplate
  module Redis
    ##
    # Turns the options an application wrote (`config.redis = {...}`) and the environment into those that the
    # redis gems understand. Opens nothing.
    module Options
      # Seconds. redis-client's own second is too short for a process whose threads wait for each other.
      TIMEOUT = 3

      # Options of the pool; the rest belongs to the connection.
      POOL = %i[size pool_timeout pool_name].freeze

      WHOLE = %i[port db].freeze
      private_constant :WHOLE

      # Any of these says where the server is, so that the environment is not asked.
      ADDRESS = %i[url host path sentinels].freeze

      class << self
        # @return [Hash{Symbol => Object}] symbol keys, Sidekiq's aliases resolved, the address filled in from
        #   REDIS_PROVIDER or REDIS_URL when the options have none
        # @raise [ArgumentError] when REDIS_PROVIDER holds a URL instead of the name of a variable
        def resolve(options)
          resolved = symbolize(options)
          rename(resolved, :network_timeout, :timeout)
          rename(resolved, :master_name, :name)
          resolved[:url] ||= from_environment unless ADDRESS.any? { |key| resolved[key] }
          resolved.compact
        end

        # The options for one connection: of `resolved`, all but the pool's.
        def connection(resolved)
          # A lost connection is opened again once. An LPUSH whose answer was lost is then sent twice, which is
          # rarer and does less harm than an error for every connection that Redis closed while it was idle.
          options = { timeout: TIMEOUT, reconnect_attempts: 1 }.merge(resolved.except(*POOL, :logger))
          WHOLE.each { |key| options[key] = whole(key, options[key]) if options[key] }
          options
        end

        private

        # The redis gem 4 takes what is no number for 0.
        def whole(key, value)
          number = Integer(value, exception: false)
          return number if number && number == (value.is_a?(Numeric) ? value : number)

          raise ArgumentError, "redis: #{key} must be a whole number, not #{value.inspect}"
        end

        def symbolize(object)
          case object
          when Hash then object.to_h { |key, value| [key.to_sym, symbolize(value)] }
          when Array then object.map { |value| symbolize(value) }
          else object
          end
        end

        def rename(options, from, to)
          return unless options.key?(from)

          value = options.delete(from)
          options[to] = value unless options.key?(to)
        end

        def from_environment
          provider = ENV.fetch("REDIS_PROVIDER", nil)
          if provider&.include?(":")
            raise ArgumentError, "REDIS_PROVIDER must be the name of the variable that holds the Redis URL, " \
                                 "such as REDISTOGO_URL, not the URL"
          end
          (provider && ENV.fetch(provider, nil)) || ENV.fetch("REDIS_URL", nil)
        end
      end
    end
  end
end
