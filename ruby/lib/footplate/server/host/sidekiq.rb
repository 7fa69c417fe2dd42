# frozen_string_literal: true

require "footplate/server/host/gem_capsule"
require "footplate/server/host/sidekiq_gem"

module Footplate
  module Server
    module Host
      ##
      # Sidekiq 7 and 8: Sidekiq::Config, with capsules.
      class Sidekiq < SidekiqGem
        # Of the gem's own server middleware; the engine counts executions and hands interrupted jobs back
        # itself, and twice would be wrong.
        OWNED = ["Sidekiq::Metrics::Middleware", "Sidekiq::Job::InterruptHandler"].freeze

        def [](key)
          config[key]
        end

        def []=(key, value)
          config[key] = value
        end

        # In the order of the gem's command line, so that a gem that listens to these setters sees the same.
        def apply(settings)
          cli.config = config
          cli.environment = settings.environment
          config.merge!(settings.options)
          config[:environment] = settings.environment
          default = config.default_capsule
          default.queues = settings.options[:queues]
          default.concurrency = settings.concurrency || config[:concurrency]
          settings.options[:capsules]&.each { |name, capsule| apply_capsule(name, capsule) }
        end

        def capsules
          config.capsules.each_value.map { |capsule| GemCapsule.read(capsule) }
        end

        # The capsule's own chain, as documented for 7 on (8.1.7 runs the global one, by mistake it seems),
        # without OWNED. A copy: what the application sees in its chains stays.
        def server_middleware(name)
          @server_middleware ||= {}
          @server_middleware[name] ||= begin
            capsule = config.capsules.fetch(name)
            chain = capsule.server_middleware.copy_for(capsule)
            chain.entries.reject! { |entry| OWNED.include?(entry.klass.to_s) }
            chain
          end
        end

        def client_middleware
          config.client_middleware
        end

        def error_handlers
          config.error_handlers
        end

        def death_handlers
          config.death_handlers
        end

        # Which arguments a handler takes changed in 7.1.5 and 8.0; the gem knows.
        def handle_exception(exception, context = {})
          config.handle_exception(exception, context)
        end

        def on(event, &block)
          config.on(event, &block)
        end

        # Launchers, job loggers and profilers get the configuration.
        def gem_argument
          config
        end

        def logger
          config.logger
        end

        def default_concurrency
          config[:concurrency]
        end

        def thread_priority
          return 0 unless config.respond_to?(:thread_priority)

          default = ::Sidekiq::DEFAULT_THREAD_PRIORITY if defined?(::Sidekiq::DEFAULT_THREAD_PRIORITY)
          config.thread_priority || default || 0
        end

        # From 8 on; 7 tags only Rails applications.
        def tags_files?
          ::Sidekiq::VERSION.to_i >= 8
        end

        # @return [Hash] for the engine's RedisSettings. Connects nowhere: a client of the pool knows its
        #   configuration before it has a connection.
        def redis_settings
          RedisSettings.from_redis_client(redis_client_config)
        end

        def redis_info
          config.redis_info
        end

        def freeze!
          ::Sidekiq.freeze!
        end

        # @return [Sidekiq::Config]
        def config
          ::Sidekiq.default_configuration
        end

        private

        def defaults
          ::Sidekiq::Config::DEFAULTS
        end

        def redis_ssl_params
          redis_client_config.ssl_params
        end

        # Private in 7. Without Thread.current's pools: the engine's connection is the process's.
        def redis_client_config
          @redis_client_config ||= first_connection { config.send(:local_redis_pool).with(&:config) }
        end

        def apply_capsule(name, settings)
          config.capsule(name.to_s) do |capsule|
            capsule.queues = settings[:queues]
            capsule.concurrency = settings[:concurrency]
          end
        end
      end
    end
  end
end
