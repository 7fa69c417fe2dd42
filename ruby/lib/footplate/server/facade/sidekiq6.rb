# frozen_string_literal: true

require "footplate/server/boot/queue_list"
require "footplate/server/facade/with_gem"

module Footplate
  module Server
    module Facade
      ##
      # Sidekiq 6: the module itself is the configuration; one group of threads.
      class Sidekiq6 < WithGem
        def_delegators :options, :[], :[]=
        def_delegators "::Sidekiq", :client_middleware, :error_handlers, :death_handlers, :on, :logger, :redis_info

        # @raise [BootError] for a queue named twice, which 6 refuses and 7 accepts
        def apply(settings)
          cli.environment = settings.environment
          if settings.options[:capsules]
            settings.warnings << "capsules: ignored; Sidekiq #{sidekiq_version} has none, they came with 7.0"
          end
          options.merge!(settings.options)
          options[:environment] = settings.environment
          options[:queues] = QueueList.expand(once_each(settings.queues))
          options[:strict] = settings.queues.all? { |_, weight| weight.zero? }
        end

        def capsules
          concurrency = Numbers.threads(:concurrency, options[:concurrency])
          [Capsule.new(name: "default", concurrency:, mode:, queues:)]
        end

        def server_middleware(_name)
          ::Sidekiq.server_middleware
        end

        # As the gem does, except that one which raises something other than a StandardError does not keep the others
        # from being called.
        def tell(exception, context)
          error_handlers.each { |handler| surely { handler.call(exception, context) } }
        end

        # Launchers get the options.
        def gem_argument
          options
        end

        # Two more than there are threads, for the heartbeat and whatever else the gem sends by itself.
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

        # Once for each pool, from a connection that nobody has used yet: a :startup hook may subscribe on one, which
        # then cannot be asked any more. The application may have put in a pool of its own.
        def read_redis
          pool = first_connection { ::Sidekiq.redis_pool }
          return @read_redis if @redis_pool_read.equal?(pool)

          client = first_connection { pool.with { |it| it } }
          @redis_pool_read = pool
          @read_redis = settings_of(client)
        end

        # redis-namespace wraps the client.
        def settings_of(client)
          return RedisSettings.of(client) unless client.respond_to?(:namespace)

          namespace = client.namespace&.to_s
          { **RedisSettings.of(client.redis), namespace: }.compact
        end
      end
    end
  end
end
