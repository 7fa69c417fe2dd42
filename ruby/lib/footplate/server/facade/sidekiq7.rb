# frozen_string_literal: true

require "footplate/server/boot/queue_list"
require "footplate/server/facade/gem_capsule"
require "footplate/server/facade/gem_chain"
require "footplate/server/facade/with_gem"

module Footplate
  module Server
    module Facade
      ##
      # Sidekiq 7 and 8: Sidekiq::Config, with capsules.
      class Sidekiq7 < WithGem
        def_delegators :config, :[], :[]=, :client_middleware, :error_handlers, :death_handlers, :on, :logger,
                       :redis_info
        # Which arguments a handler takes changed in 7.1.5 and 8.0; the gem knows.
        def_delegator :config, :handle_exception, :tell
        def_delegators "::Sidekiq", :freeze!

        # In the order of the gem's command line, so that a gem that listens to these setters sees the same.
        def apply(settings)
          cli.config = config
          cli.environment = settings.environment
          config.merge!(settings.options)
          config[:environment] = settings.environment
          default = config.default_capsule
          default.queues = QueueList.to_strings(settings.queues)
          default.concurrency = settings.concurrency || config[:concurrency]
          settings.capsules.each { |name, capsule| apply_capsule(name, capsule) }
        end

        def capsules
          config.capsules.each_value.map { |capsule| GemCapsule.read(capsule) }
        end

        def server_middleware(name)
          @server_middleware ||= {}
          @server_middleware[name] ||= GemChain.around_jobs(config.capsules.fetch(name))
        end

        def metrics?(name)
          GemChain.include?(config.capsules.fetch(name), GemChain::METRICS)
        end

        def hands_back?(name)
          GemChain.include?(config.capsules.fetch(name), GemChain::HAND_BACK)
        end

        def pool_problem
          small = config.capsules.values.find { |capsule| capsule.redis_pool.size < capsule.concurrency }
          return unless small

          "Pool size too small for #{small.name}: #{small.redis_pool.size} connections for #{small.concurrency} " \
            "threads. Leave out the size of config.redis, or make it #{small.concurrency} at least."
        end

        # Launchers, job loggers and profilers get the configuration.
        def gem_argument
          config
        end

        def thread_priority
          return 0 unless config.respond_to?(:thread_priority)

          default = ::Sidekiq::DEFAULT_THREAD_PRIORITY if defined?(::Sidekiq::DEFAULT_THREAD_PRIORITY)
          config.thread_priority || default || 0
        end

        # @return [Sidekiq::Config]
        def config
          ::Sidekiq.default_configuration
        end

        private

        def defaults
          ::Sidekiq::Config::DEFAULTS
        end

        def gem_processor(capsule)
          ::Sidekiq::Processor.new(capsule.gem_capsule)
        end

        # A client of the pool knows its configuration before it connects. (The method is private in 7.) Not the pool
        # of the current thread's capsule: the engine connects for the whole process.
        def read_redis
          @read_redis ||= first_connection { config.send(:local_redis_pool).with { |it| RedisSettings.of(it) } }
        end

        def apply_capsule(name, settings)
          config.capsule(name) do |capsule|
            capsule.queues = QueueList.to_strings(settings[:queues])
            capsule.concurrency = settings[:concurrency]
          end
        end
      end
    end
  end
end
