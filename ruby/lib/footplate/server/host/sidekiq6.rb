# frozen_string_literal: true

require "forwardable"
require "footplate/server/host/sidekiq_gem"
require "footplate/server/queue_list"

module Footplate
  module Server
    module Host
      ##
      # Sidekiq 6: the module itself is the configuration; one group of threads.
      class Sidekiq6 < SidekiqGem
        extend Forwardable

        def_delegators :options, :[], :[]=
        def_delegators "::Sidekiq", :client_middleware, :error_handlers, :death_handlers, :on, :logger, :redis_info

        # @raise [BootError] for a queue named twice, which 6 refuses and 7 accepts
        def apply(settings)
          cli.environment = settings.environment
          if settings.options[:capsules]
            settings.warnings << "capsules: ignored; Sidekiq #{generation} has none, they came with 7.0"
          end
          options.merge!(settings.options)
          options[:environment] = settings.environment
          options[:queues] = QueueList.expand(once_each(settings.queues))
          options[:strict] = settings.queues.all? { |_, weight| weight.zero? }
        end

        def capsules
          [Capsule.new(name: "default", concurrency: Integer(options[:concurrency]), mode:, queues:)]
        end

        def server_middleware(_name)
          ::Sidekiq.server_middleware
        end

        # As the gem does, which leaves out the others where one raises no StandardError.
        def tell(exception, context)
          error_handlers.each { |handler| surely { handler.call(exception, context) } }
        end

        # Launchers get the options.
        def gem_argument
          options
        end

        def default_concurrency
          options[:concurrency]
        end

        # Tags only Rails applications.
        def tags_files?
          false
        end

        # @return [Hash] for the engine's RedisSettings. Connects nowhere.
        def redis_settings
          settings = RedisSettings.from_redis_gem(redis_options)
          redis_namespace ? settings.merge(namespace: redis_namespace) : settings
        end

        # Two more than threads: for the heartbeat and what else the gem sends by itself.
        def pool_problem
          size = ::Sidekiq.redis_pool.size
          needed = Integer(options[:concurrency]) + 2
          return if size >= needed

          "Your pool of #{size} Redis connections is too small for #{needed - 2} threads. Leave out the size in " \
            "config.redis, or make it #{needed} at least."
        end

        # 6 freezes nothing.
        def freeze!; end

        private

        # 6.5 moved the options and warns about their old place.
        def options
          ::Sidekiq.respond_to?(:[]) ? ::Sidekiq : ::Sidekiq.options
        end

        def defaults
          ::Sidekiq::DEFAULTS
        end

        # 6.5 has no use for its manager any more.
        def gem_processor(_capsule)
          options.equal?(::Sidekiq) ? ::Sidekiq::Processor.new(options) : ::Sidekiq::Processor.new(nil, options)
        end

        def once_each(pairs)
          twice = pairs.map(&:first).tally.find { |_, count| count > 1 }
          raise BootError, "queues: #{twice.first} cannot be defined twice" if twice

          pairs
        end

        def mode
          return :strict if options[:strict]

          options[:queues].tally.values.all?(1) ? :random : :weighted
        end

        def queues
          options[:queues].tally.map { |name, share| [name.to_s, options[:strict] ? 0 : share] }
        end

        # The application may have put a pool of its own making there, with a client of its own.
        def redis_client
          @redis_client ||= first_connection { ::Sidekiq.redis_pool.with { |client| client } }
        end

        def namespaced?
          redis_client.respond_to?(:namespace)
        end

        def redis_namespace
          redis_client.namespace.to_s if namespaced? && redis_client.namespace
        end

        # The redis gem 4 keeps a hash there, 5 a RedisClient::Config.
        def redis_options
          client = (namespaced? ? redis_client.redis : redis_client)._client
          client.respond_to?(:options) ? client.options : client.config
        end

        def redis_ssl_params
          found = redis_options
          found.is_a?(Hash) ? found[:ssl_params] : found.ssl_params
        end
      end
    end
  end
end
