# frozen_string_literal: true

require "forwardable"
require "footplate/server/boot/boot_error"
require "footplate/server/boot/redis_settings"
require "footplate/server/facade/base"
require "footplate/server/facade/native_log"
require "footplate/server/facade/redis_log"

module Footplate
  module Server
    module Facade
      ##
      # What is the same with every version of the gem. Other gems find the gem's command line object where they expect
      # it (Sidekiq::CLI.instance), though it neither parses nor runs anything here.
      class WithGem < Base
        extend Forwardable

        # The gem remembers who it is for all its parts, so it must come from there.
        def_delegators :cli, :identity, :hostname
        def_delegator :cli, :process_nonce, :nonce
        # Gems reach the launcher through the command line object (`CLI.instance.launcher.stopping?`).
        def_delegators :cli, :launcher=
        # What client middleware gets as its fourth argument.
        def_delegators "::Sidekiq", :redis_pool

        def initialize
          super
          RedisLog.install
        end

        def gem? = true
        def sidekiq_version = SidekiqVersion.loaded

        def event?(event)
          self[:lifecycle_events].key?(event)
        end

        # @return [Array<Proc>] what is registered for an event; empty for one this version does not have
        def hooks(event)
          self[:lifecycle_events][event] || []
        end

        # Through the gem: it forgets an event once it was fired, all but :beat (6.5.2 and newer). Events that
        # this version does not have are not fired.
        def fire_event(event, reverse: false, reraise: false)
          return unless event?(event)

          options = { reverse:, reraise: }
          options[:oneshot] = false if event == :beat
          cli.fire_event(event, options)
        end

        # @return [Class, nil] with `prepare` and `call`; the gem's own only when somebody changed it
        def job_logger
          custom = self[:job_logger]
          return custom if custom && custom != ::Sidekiq::JobLogger

          require "sidekiq/job_logger"
          ReplacedParts.changed?(::Sidekiq::JobLogger) ? ::Sidekiq::JobLogger : nil
        end

        # Made by the gem's own processor, since the arguments have changed from version to version.
        def build_job_logger(capsule)
          gem_processor(capsule).instance_variable_get(:@job_logger)
        end

        def skip_default_job_logging?
          sidekiq_version.skips_job_logging? && super
        end

        def native_log
          NativeLog.of_gem(logger)
        end

        def reloader
          found = self[:reloader]
          found unless found.nil? || found.equal?(defaults[:reloader])
        end

        def backtrace_cleaner
          found = self[:backtrace_cleaner]
          found unless found.nil? || found.equal?(defaults[:backtrace_cleaner])
        end

        def custom_json?
          %i[load_json dump_json].any? { |name| !ReplacedParts.of_gem?(::Sidekiq.method(name)) }
        end

        # Completes a payload that goes back to a queue as the gem's client does before its middleware runs.
        # @param payload [Hash] @return [Hash]
        def normalize(payload)
          ::Sidekiq::Client.new.send(:normalize_item, payload)
        end

        def check_redis
          return unless Footplate.config.redis_configured?

          ours = RedisSettings.of_footplate
          theirs = redis_settings
          return if RedisSettings.keyspace(ours) == RedisSettings.keyspace(theirs)

          raise BootError, "Footplate.configure says that Redis is at #{RedisSettings.describe(ours)}, and " \
                           "Sidekiq's configuration that it is at #{RedisSettings.describe(theirs)}; jobs " \
                           "pushed to one are not found in the other: configure only Sidekiq, or both alike"
        end

        private

        # The first connection is where the client reads the application's options.
        # @raise [BootError] for options that it cannot use
        def first_connection
          yield
        rescue ArgumentError, TypeError, URI::Error => e
          raise RedisSettings.unusable(e)
        end

        def cli
          ::Sidekiq::CLI.instance
        end
      end
    end
  end
end
