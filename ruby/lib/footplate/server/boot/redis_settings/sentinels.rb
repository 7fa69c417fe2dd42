# frozen_string_literal: true

module Footplate
  module Server
    module RedisSettings
      ##
      # Sentinels as the engine's SentinelSettings: host, port, username, password, and tls: false.
      module Sentinels
        module_function

        # @param config [RedisClient::SentinelConfig]
        def of_redis_client(config)
          config.sentinels.map do |it|
            # A sentinel need not use TLS where the server does.
            { host: it.host, port: it.port, username: it.instance_variable_get(:@username), password: it.password,
              tls: config.ssl && !it.ssl ? false : nil }.compact
          end
        end

        # @param options [Hash] of the redis gem 4, which connects to sentinels with the same options as to the server
        def of_redis_gem(options)
          options[:sentinels].map do |sentinel|
            sentinel = sentinel.transform_keys(&:to_sym).slice(:host, :port, :username, :password).compact
            sentinel[:port] &&= Numbers.whole("The port of a sentinel", sentinel[:port], most: 65_535)
            sentinel
          end
        end
      end
    end
  end
end
