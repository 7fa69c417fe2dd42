# frozen_string_literal: true

require "uri"
require "footplate/server/redis_settings/tls"

module Footplate
  module Server
    ##
    # Turns what the application configured into the fields of the engine's RedisSettings (src/config/redis.rs):
    # url, host, port, path, db, username, password, tls, sentinels, name, connect_timeout, response_timeout,
    # client_name. Symbol keys, nothing that is nil. Passwords that are computed are asked for once.
    module RedisSettings
      DEFAULT_PORT = 6379

      module_function

      # @param config [RedisClient::Config, RedisClient::SentinelConfig] (Sidekiq 7 and newer, redis gem 5)
      def from_redis_client(config)
        common = {
          db: config.db, username: config.instance_variable_get(:@username), password: config.password,
          tls: config.ssl ? Tls.read(config.ssl_params) : nil, client_name: config.id,
          connect_timeout: seconds(config.connect_timeout), response_timeout: seconds(config.read_timeout)
        }
        place = config.sentinel? ? sentinel_client(config) : { host: config.host, port: config.port, path: config.path }
        common.merge(place).compact
      end

      # @param options [Hash{Symbol => Object}, RedisClient::Config] of the redis gem's client: 4 parsed the URL
      #   into its parts, 5 has a RedisClient::Config
      def from_redis_gem(options)
        return from_redis_client(options) unless options.is_a?(Hash)

        sentinels = options[:sentinels]
        elsewhere = sentinels || options[:path]
        {
          host: elsewhere ? nil : options[:host], port: elsewhere ? nil : options[:port], path: options[:path],
          db: options[:db], username: options[:username], password: secret(options[:password]),
          tls: options[:ssl] || options[:scheme] == "rediss" ? Tls.read(options[:ssl_params]) : nil,
          # With sentinels the host is the master's name.
          name: sentinels && options[:host], sentinels: sentinels&.map { |sentinel| sentinel_of(sentinel) },
          client_name: options[:id], connect_timeout: seconds(options[:connect_timeout]),
          response_timeout: seconds(options[:read_timeout])
        }.compact
      end

      # @param options [Hash{Symbol => Object}] as Footplate::Config#redis_options answers
      def from_options(options)
        tls = options[:ssl] || options[:ssl_params] || options[:url].to_s.start_with?("rediss:")
        timeout = options[:timeout]
        options.slice(:url, :host, :port, :path, :db, :name, :username).merge(
          password: secret(options[:password], options[:username]), tls: tls ? Tls.read(options[:ssl_params]) : nil,
          sentinels: options[:sentinels]&.map { |sentinel| sentinel_of(sentinel, options) }, client_name: options[:id],
          connect_timeout: seconds(options[:connect_timeout] || timeout),
          response_timeout: seconds(options[:read_timeout] || timeout)
        ).compact
      end

      # @param settings [Hash{Symbol => Object}] made here
      # @return [String] where Redis is, fit for a log
      def describe(settings)
        return sentinel_description(settings) if settings[:sentinels]
        return scrub(settings[:url]) if settings[:url]
        return "unix://#{settings[:path]} db #{settings[:db].to_i}" if settings[:path]

        scheme = settings[:tls] ? "rediss" : "redis"
        "#{scheme}://#{settings[:host] || "localhost"}:#{settings[:port] || DEFAULT_PORT}/#{settings[:db].to_i}"
      end

      # @return [Hash{Symbol => Object}] the settings as they may be logged
      def scrubbed(settings)
        hidden = settings.to_h { |key, value| [key, key == :password ? "REDACTED" : value] }
        hidden[:url] = scrub(hidden[:url]) if hidden[:url]
        hidden[:sentinels] = hidden[:sentinels].map { |sentinel| scrubbed(sentinel) } if hidden[:sentinels]
        hidden
      end

      def scrub(url)
        url.to_s.sub(%r{(//[^@/]*?):[^@/]*@}, '\1:REDACTED@')
      end

      def sentinel_client(config)
        { name: config.name, sentinels: config.sentinels.map { |sentinel| sentinel_from_config(sentinel) } }
      end

      def sentinel_from_config(config)
        username = config.instance_variable_get(:@username)
        { host: config.host, port: config.port, username:, password: config.password }.compact
      end

      def sentinel_of(sentinel, options = {})
        sentinel = sentinel.is_a?(Hash) ? sentinel.transform_keys(&:to_sym) : uri_parts(sentinel)
        username = sentinel[:username] || options[:sentinel_username]
        {
          host: sentinel[:host], port: sentinel[:port]&.to_i, username: username,
          password: secret(sentinel[:password] || options[:sentinel_password], username)
        }.compact
      end

      def uri_parts(url)
        uri = URI(url.to_s)
        { host: uri.host, port: uri.port, username: uri.user, password: uri.password }
      end

      def sentinel_description(settings)
        hosts = settings[:sentinels].map { |sentinel| "#{sentinel[:host]}:#{sentinel[:port] || 26_379}" }
        "master #{settings[:name]} of the sentinels #{hosts.join(", ")}"
      end

      def secret(password, username = nil)
        password.respond_to?(:call) ? password.call(username || "default") : password
      end

      # 0 and nil mean "wait for ever" to the gems and are left to the engine.
      def seconds(value)
        value.to_f if value&.to_f&.positive?
      end
    end
  end
end
