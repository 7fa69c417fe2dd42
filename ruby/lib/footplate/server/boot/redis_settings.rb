# frozen_string_literal: true

require "footplate/redis"
require "footplate/server/boot/boot_error"
require "footplate/server/boot/redis_settings/fields"
require "footplate/server/boot/redis_settings/sentinels"
require "footplate/server/boot/redis_settings/tls"
require "footplate/server/text/secrets"

module Footplate
  module Server
    ##
    # Where Redis is, as the application's own client understands its options: the gem is asked what it made of them,
    # and the engine gets the answer (src/store/address.rs), so that both use the same server and database. Symbol
    # keys: host, port, path, db, username, password, password_alone, tls, sentinels, name, connect_timeout,
    # response_timeout, client_name; none of them is nil. There is also :ssl_params as given, which the engine does
    # not get.
    module RedisSettings
      DEFAULT_PORT = 6379
      UNUSABLE = "The application's Redis settings cannot be used"
      # The schemes come after the @, or Secrets would take what stands between them for a password.
      UNREADABLE = "#{UNUSABLE}: the URL cannot be read; write special characters of user and password as %XX, " \
                   "such as %40 for an @ and %2F for a /, and begin it with redis://, rediss:// or unix://".freeze

      module_function

      # @param client [Redis, RedisClient, Sidekiq::RedisClientAdapter::CompatClient] connected or not
      # @raise [BootError] for a client that cannot be asked, and for settings that the engine cannot follow
      def of(client)
        inner = client.respond_to?(:_client) ? client._client : client
        options = inner.respond_to?(:options) ? inner.options : inner.config
        options.is_a?(Hash) ? from_redis_gem(options) : from_redis_client(options)
      rescue NoMethodError
        raise BootError, "The application's Redis connections are of a kind that the engine cannot read an address " \
                         "from (#{client.class}); configure Redis with a Hash of options"
      end

      # Of what the application said to Footplate.configure, and the environment. Connects nowhere.
      def of_footplate
        of_options(Footplate.config.redis_options)
      end

      def of_options(options)
        of(Redis::Driver.factory(Redis::Options.connection(options)).call)
      rescue ArgumentError, TypeError, URI::Error => e
        raise unusable(e)
      end
      private_class_method :of_options

      # @param error [StandardError] with which a client gem has refused its options
      # @return [BootError] without the error's message if that may quote a part of a URL
      def unusable(error)
        about_url = error.is_a?(URI::Error) || error.message.match?(/@|ur[il]|Integer\(\)/i)
        BootError.new(about_url ? UNREADABLE : "#{UNUSABLE}: #{Secrets.hide(error.message)}")
      end

      # @param config [RedisClient::Config, RedisClient::SentinelConfig] (Sidekiq 7 and newer, redis gem 5)
      def from_redis_client(config)
        place = config.sentinel? ? { name: config.name } : { host: config.host, port: config.port, path: config.path }
        sentinels = Sentinels.of_redis_client(config) if config.sentinel?
        Fields.of(place.merge(
                    sentinels:, db: config.db, username: config.instance_variable_get(:@username),
                    password: config.password, tls: config.ssl ? Tls.read(config.ssl_params) : nil,
                    ssl_params: config.ssl_params, client_name: config.id,
                    connect_timeout: config.connect_timeout, response_timeout: config.read_timeout
                  ))
      end

      # @param options [Hash{Symbol => Object}] of the redis gem 4, which has parsed the URL into its parts
      def from_redis_gem(options)
        raise BootError, UNREADABLE if options[:url] && Secrets.misleading?(options[:url])

        # With sentinels the host is the master's name.
        place = options[:sentinels] ? { name: options[:host] } : options.slice(:host, :port, :path)
        place = place.slice(:path) if place[:path]
        Fields.of(place.merge(
                    options.slice(:db, :username, :password, :ssl_params, :connect_timeout),
                    sentinels: options[:sentinels] && Sentinels.of_redis_gem(options), password_alone: true,
                    tls: tls?(options) ? Tls.read(options[:ssl_params]) : nil, client_name: options[:id],
                    response_timeout: options[:read_timeout]
                  ))
      end

      def tls?(options)
        options[:ssl] || options[:scheme] == "rediss" ? true : false
      end

      # @param settings [Hash{Symbol => Object}] made here
      # @return [String] where Redis is, fit for a log
      def describe(settings)
        return sentinel_description(settings) if settings[:sentinels]

        namespace = ", namespace #{settings[:namespace]}" if settings[:namespace]
        return "unix://#{settings[:path]} db #{settings[:db].to_i}#{namespace}" if settings[:path]

        scheme = settings[:tls] ? "rediss" : "redis"
        host = settings[:host].to_s.include?(":") ? "[#{settings[:host]}]" : settings[:host] || "localhost"
        "#{scheme}://#{host}:#{settings[:port] || DEFAULT_PORT}/#{settings[:db].to_i}#{namespace}"
      end

      # @return [Hash{Symbol => Object}] the settings as they may be logged
      def scrubbed(settings)
        hidden = settings.except(:password_alone)
        hidden[:password] = Secrets::HIDDEN if hidden[:password]
        hidden[:sentinels] = hidden[:sentinels].map { |sentinel| scrubbed(sentinel) } if hidden[:sentinels]
        hidden
      end

      # @return [Array] equal for settings that lead to the same keys
      def keyspace(settings)
        sentinels = settings[:sentinels]&.map { |sentinel| sentinel.slice(:host, :port) }
        local = ["localhost", "0.0.0.0", "::1", "::", ""]
        host = local.include?(settings[:host]) ? "127.0.0.1" : settings[:host]
        [settings[:path] || sentinels&.sort_by(&:to_s) || [host, settings[:port] || DEFAULT_PORT],
         *settings.values_at(:name, :db, :namespace)]
      end

      def sentinel_description(settings)
        hosts = settings[:sentinels].map { |sentinel| "#{sentinel[:host]}:#{sentinel[:port] || 26_379}" }
        "master #{settings[:name]} of the sentinels #{hosts.join(", ")}"
      end
      private_class_method :sentinel_description
    end
  end
end
