# frozen_string_literal: true

require "forwardable"
require "footplate"
require "footplate/server/boot/queue_list"
require "footplate/server/boot/redis_settings"
require "footplate/server/facade/base"
require "footplate/server/facade/default_logger"
require "footplate/server/facade/error_line"
require "footplate/server/facade/job_logger"
require "footplate/server/facade/native_log"

module Footplate
  module Server
    module Facade
      ##
      # No sidekiq gem: Footplate::Config, with the forms of Sidekiq 8.
      class WithoutGem < Base
        extend Forwardable

        def_delegators :config, :[], :[]=, :client_middleware, :error_handlers, :death_handlers, :on, :logger
        def_delegators "Footplate", :redis_pool
        attr_accessor :launcher

        def gem? = false
        def sidekiq_version = SidekiqVersion::NEWEST

        def apply(settings)
          config.logger = @own_logger = DefaultLogger.new unless config.logger?
          config.merge!(settings.options)
          config[:environment] = settings.environment
          config.queues = QueueList.to_strings(settings.queues)
          config.concurrency = settings.concurrency if settings.concurrency
          settings.capsules.each do |name, capsule|
            config.capsule(name) do |added|
              added.queues = QueueList.to_strings(capsule[:queues])
              added.concurrency = capsule[:concurrency]
            end
          end
        end

        def capsules
          config.capsules.map do |name, capsule|
            Capsule.new(name:, concurrency: Numbers.threads(:concurrency, capsule.concurrency), mode: capsule.mode,
                        queues: capsule.weights.to_a, gem_capsule: capsule)
          end
        end

        def server_middleware(name)
          config.capsules.fetch(name).server_middleware
        end

        def tell(exception, context)
          surely { ErrorLine.write(self, exception, context) }
          config.handle_exception(exception, context)
        end

        def event?(event)
          Config::Events::EVENTS.key?(event)
        end

        def hooks(event)
          event?(event) ? config.send(:callbacks, event) : []
        end

        # The configuration knows the order and what an exception does for each event.
        def fire_event(event, **)
          config.fire_event(event)
        end

        def normalize(payload)
          Payload.build(payload)
        end

        def gem_argument
          config
        end

        def job_logger
          config[:job_logger]
        end

        def build_job_logger(_capsule)
          (job_logger || JobLogger).new(config)
        end

        def native_log
          NativeLog.of_own(@own_logger) if config.logger.equal?(@own_logger)
        end

        def reloader
          config.reloader unless config.reloader.equal?(Config::DEFAULTS[:reloader])
        end

        def backtrace_cleaner
          cleaner = config[:backtrace_cleaner]
          cleaner unless cleaner.equal?(Config::DEFAULTS[:backtrace_cleaner])
        end

        def thread_priority
          config[:thread_priority] || -1
        end

        def redis_info
          text = Footplate.redis { |connection| connection.call("INFO") }
          text.lines(chomp: true).map { |line| line.split(":", 2) }.select { |pair| pair.size == 2 }.to_h
        end

        def freeze!; end

        def config
          Footplate.config
        end

        private

        def read_redis
          RedisSettings.of_footplate
        end
      end
    end
  end
end
