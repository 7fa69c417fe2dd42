# frozen_string_literal: true

require "securerandom"
require "socket"
require "footplate/server/facade"
require "footplate/server/facade/errors"
require "footplate/server/facade/limits"

module Footplate
  module Server
    module Facade
      ##
      # The interface, and what all facades have in common. Each knows where options are kept (`[]`), and implements
      # the following:
      #
      #   gem?                   whether the sidekiq gem is there
      #   sidekiq_version        the SidekiqVersion to behave like
      #   apply(settings)        writes the resolved options where the application's libraries look for them
      #   capsules               Array<Facade::Capsule>; ask after :startup, where gems still add some
      #   server_middleware(name)  the chain that the capsule's jobs run through
      #   client_middleware      the chain around pushes
      #   error_handlers, death_handlers   Arrays of callables
      #   tell(exception, context)   calls the error handlers as this version does
      #   on(event) { }, fire_event(event, reverse:, reraise:), event?(event), hooks(event)
      #   normalize(payload)     what the client makes of a payload before middleware sees it
      #   gem_argument           what launchers, job loggers and profilers are given as the configuration
      #   logger, redis_settings, redis_info, redis_pool, freeze!, launcher=
      #   job_logger             class, or nil for the default one
      #   build_job_logger(capsule)  what stands around each job of a thread, made as this version makes it
      #   metrics?(name), hands_back?(name)  whether the capsule's chain still has the gem's middleware for it
      #   pool_problem           why the gem would not start with the application's pool, or nil
      #   native_log             {fd:, format:, colour:}, or nil when lines must go through the logger
      #   reloader               callable, or nil when it would only call its block
      #   backtrace_cleaner      callable, or nil when it would only return its argument
      class Base
        include Errors
        include Limits

        LEVELS = %w[debug info warn error fatal].freeze

        # @return [String] the dyno's name on Heroku, else the machine's
        def hostname
          ENV["DYNO"] || Socket.gethostname
        end

        # @return [String] twelve hex digits
        def nonce
          @nonce ||= SecureRandom.hex(6)
        end

        def identity = "#{hostname}:#{Process.pid}:#{nonce}"

        # @return [Object] an option of the application, such as one from its settings files
        def [](_key)
          raise NotImplementedError
        end

        def []=(_key, _value)
          raise NotImplementedError
        end

        def environment = self[:environment]

        # @return [String] empty for none
        def tag
          self[:tag].to_s
        end

        # Sets the tag unless the operator or the application has.
        def default_tag(name)
          self[:tag] ||= name
        end

        def labels
          Array(self[:labels]).map(&:to_s)
        end

        def skip_default_job_logging?
          !!self[:skip_default_job_logging]
        end

        # @return [Integer] of worker threads; Sidekiq 8 halves their time slice with -1
        def thread_priority
          0
        end

        # Whether the application has replaced how JSON is read or written; then payloads must pass through that.
        def custom_json?
          false
        end

        # Whether an application in one file gets its folder's name as a tag. Rails always does.
        def tags_files?
          sidekiq_version.tags_files?
        end

        # Whether classes stay what they are while the process runs, so that lookups may be remembered.
        def cache_classes?
          application = defined?(::Rails) && ::Rails.respond_to?(:application) && ::Rails.application
          application ? !!application.config.cache_classes : true
        end

        # @return [String] the least that is logged
        def log_level
          case (level = logger.respond_to?(:level) ? logger.level : 1)
          when Integer then LEVELS[level.clamp(0, 4)]
          else LEVELS.include?(level.to_s) ? level.to_s : "info"
          end
        end

        # Sets the log to debug level.
        def debug! = logger.level = 0

        # See GemChain: only the gem's later versions have this as middleware.
        def metrics?(_name) = true
        def hands_back?(_name) = true

        def pool_problem; end

        def client_middleware?
          !client_middleware.empty?
        end

        # @return [Hash] for the engine's RedisSettings. Connects nowhere.
        def redis_settings
          read_redis.except(:ssl_params)
        end

        # @raise [BootError] when jobs would be pushed to another Redis than they are looked for in
        def check_redis; end

        # @return [Array<String>] a sentence for each Redis option that the engine cannot follow
        def redis_warnings
          RedisSettings::Tls.warnings(read_redis)
        end

        # @return [String] where Redis is, without user and password
        def redis_description
          RedisSettings.describe(redis_settings)
        end
      end
    end
  end
end
