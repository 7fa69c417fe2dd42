# frozen_string_literal: true

require_relative "child"

module Demo
  # The Rails application in this process: a client, as a web process is. Its surroundings come from the environment, so
  # that the server and the web server, which are processes of their own, share them.
  module Shop
    APP = File.expand_path("../..", __dir__)
    NAMES = %w[GEM_HOME BUNDLE_GEMFILE REDIS_URL RAILS_ENV DEMO_DATABASE DEMO_LOG_DIR].freeze

    module_function

    def settle_in(target)
      ENV["RAILS_ENV"] = "production"
      ENV["VERBOSE"] = "false" # of migrations
      ENV["DEMO_LOG_DIR"] = File.join(target, "log")
      ENV["DEMO_DATABASE"] = File.join(target, "shop.sqlite3")
    end

    def env
      NAMES.to_h { |name| [name, ENV.fetch(name, nil)] }.compact
    end

    def boot
      require File.join(APP, "config/environment")
      Sidekiq.logger.level = Logger::WARN # ours, not the server's
      check_redis
      ActiveRecord::Tasks::DatabaseTasks.migrate
      ActiveRecord::Base.connection.execute("PRAGMA journal_mode = WAL")
    end

    # A process in the shop, with the environment that a shell would have and not that of our own `bundle exec`.
    def spawn
      shared = env
      Bundler.with_unbundled_env { yield shared }
    end

    def check_redis
      Ledger.redis("PING")
    rescue StandardError => e
      raise Child::Died,
            "REDIS_URL is set, but #{e.message} (#{e.class}). Without REDIS_URL the demo starts a Redis of its own."
    end
  end
end
