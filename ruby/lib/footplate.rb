# frozen_string_literal: true

require "footplate/version"

##
# Footplate runs background jobs. This file is what a web process loads: it starts no thread, opens no
# connection and loads neither the native engine nor the sidekiq gem. Everything else is loaded when its
# constant is first used.
#
#   require "footplate"
#   Footplate.configure { |config| config.redis = { url: "redis://localhost:6379/0" } }
module Footplate
  # What an operator can do something about; the message says what.
  class Error < StandardError; end

  # The server cannot work with Redis for the moment. Nothing is lost by it.
  class RedisError < Error; end

  autoload :ActiveJobWrapper, "footplate/active_job_wrapper"
  autoload :Client, "footplate/client"
  autoload :Config, "footplate/config"
  autoload :Job, "footplate/job"
  autoload :Payload, "footplate/payload"
  autoload :Redis, "footplate/redis"
  autoload :SidekiqGem, "footplate/sidekiq_gem"
  autoload :SidekiqVersion, "footplate/sidekiq_version"
  autoload :StrictArgs, "footplate/strict_args"

  # Namespace of the middleware chain, which client and server share.
  module Middleware
    autoload :Chain, "footplate/middleware/chain"
  end

  # Sidekiq's defaults for a job that says nothing about itself.
  DEFAULT_JOB_OPTIONS = { "retry" => true, "queue" => "default" }.freeze

  CONFIG_LOCK = Mutex.new
  private_constant :CONFIG_LOCK

  class << self
    # The process-wide configuration, built at first use.
    # @return [Footplate::Config]
    def config
      @config || CONFIG_LOCK.synchronize { @config ||= Config.new }
    end

    # Yields the configuration in every process.
    def configure
      yield config
    end

    # Yields the configuration only in the process that runs jobs, like Sidekiq.configure_server.
    def configure_server
      yield config if server?
    end

    # Yields the configuration only in processes that do not run jobs, like Sidekiq.configure_client.
    def configure_client
      yield config unless server?
    end

    # Whether this process runs jobs.
    def server?
      @server ? true : false
    end

    # Declares this process to be the one that runs jobs. The server's boot calls it before it loads the
    # application, so that the application's configure_server blocks run.
    def server!
      @server = true
    end

    # The pool that jobs are pushed through. An application that configured Redis for the sidekiq gem and
    # not for Footplate gets Sidekiq's pool: both clients then feed the same queues.
    def redis_pool
      return ::Sidekiq.redis_pool if !config.redis_configured? && SidekiqGem.loaded?

      config.redis_pool
    end

    # Yields a connection; its `call` and `pipelined` are the same for the redis-client and the redis gem.
    # Retried once when the server turned out to be no longer the primary, so the block may run twice.
    #
    #   Footplate.redis { |conn| conn.call("LLEN", "queue:default") }
    # @yieldparam conn [Footplate::Redis::Connection]
    # @raise [Timeout::Error] when no connection came free in time, or the redis gem's own errors
    def redis(&block)
      Redis.with(redis_pool, &block)
    end

    def logger
      config.logger
    end

    # What to do with arguments that JSON would change (see StrictArgs).
    # @param mode [:raise, :warn, false]
    def strict_args!(mode = :raise)
      config.strict_args = mode
    end

    # Options of every job class that does not set its own. Follows the sidekiq gem's defaults while that
    # gem is loaded and none were set here.
    # @return [Hash{String => Object}]
    def default_job_options
      @default_job_options || SidekiqGem.default_job_options || DEFAULT_JOB_OPTIONS
    end

    def default_job_options=(options)
      @default_job_options = default_job_options.merge(options.transform_keys(&:to_s))
    end
  end
end

require "footplate/integration"
