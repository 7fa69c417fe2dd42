# frozen_string_literal: true

require "forwardable"
require "footplate/config/capsules"
require "footplate/config/events"
require "footplate/config/handlers"
require "footplate/config/redis_settings"

module Footplate
  ##
  # What an application says about its jobs when it has no sidekiq gem: the counterpart of Sidekiq::Config,
  # with the same names. Client code reads redis, strict_args, the client middleware and the logger; the rest is
  # kept for the server's boot, which reads it after the application was loaded:
  #
  #   redis_options        Hash for the engine's own connections; address filled in from the environment
  #   capsules             {name => Capsule}: concurrency, weights, mode, middleware; "default" always exists
  #   error_handlers       called (exception, context, config) through handle_exception
  #   death_handlers       called (job, exception) for a job that will not run again
  #   fire_event           runs what was registered with `on`
  #   reloader             callable that runs a block around each job
  #   [] / fetch / key?    everything else, DEFAULTS below and what YAML and flags add
  #
  # It holds no engine state and starts nothing.
  class Config
    extend Forwardable
    include Capsules
    include Events
    include Handlers
    include RedisSettings

    # Symbol keys. Durations are in seconds. `max_retries` counts retries, not executions.
    DEFAULTS = {
      timeout: 25,
      max_retries: 25,
      dead_max_jobs: 10_000,
      dead_timeout_in_seconds: 180 * 24 * 60 * 60,
      strict_args: :raise,
      backtrace_cleaner: ->(lines) { lines },
      reloader: ->(&block) { block.call }
    }.freeze

    STRICT_ARGS_MODES = [:raise, :warn, false].freeze
    private_constant :STRICT_ARGS_MODES

    attr_writer :logger

    def_delegators :@options, :[], :[]=, :fetch, :key?, :merge!

    def initialize(options = {})
      @options = DEFAULTS.merge(labels: []).merge(options)
      @lock = Mutex.new
      @client_middleware = Middleware::Chain.new(self)
      @server_middleware = Middleware::Chain.new(self)
    end

    # The chain around every push from this process.
    def client_middleware
      yield @client_middleware if block_given?
      @client_middleware
    end

    # The chain around every job; each capsule runs a copy of its own.
    def server_middleware
      yield @server_middleware if block_given?
      @server_middleware
    end

    def strict_args
      @options[:strict_args]
    end

    # @param mode [:raise, :warn, false] see StrictArgs
    def strict_args=(mode)
      raise ArgumentError, "strict_args must be :raise, :warn or false" unless STRICT_ARGS_MODES.include?(mode)

      @options[:strict_args] = mode
    end

    # @return [#call] runs its block around each job
    def reloader
      @options[:reloader]
    end

    def reloader=(callable)
      @options[:reloader] = callable
    end

    # The application's logger, or one to standard output that is made at first use.
    def logger
      @logger ||= begin
        require "logger"
        ::Logger.new($stdout, level: ::Logger::INFO)
      end
    end

    # Whether the application brought its own logger; if not, the engine writes the log itself.
    def logger?
      !@logger.nil?
    end

    # Without what it holds: Redis options have passwords in them.
    def inspect
      "#<#{self.class.name} #{@options.keys.join(", ")}>"
    end
  end
end
