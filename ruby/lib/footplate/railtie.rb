# frozen_string_literal: true

module Footplate
  ##
  # What a Rails application gives the server that runs its jobs: code reloading around each job, the backtrace
  # cleaner, and what it logs. With the sidekiq gem loaded its own engine does this, and the server asks there.
  class Railtie < ::Rails::Railtie
    # Runs a block inside the application's reloader (autoloaded code, connections, query cache).
    class Reloader
      def initialize(app)
        @app = app
        # The source, shown in Active Support's notifications, is accepted from Rails 7.1 on.
        @options = ::Rails.gem_version >= Gem::Version.new("7.1") ? { source: "job.footplate" } : {}
      end

      def call(&block)
        @app.reloader.wrap(**@options, &block)
      end
    end

    # So that what jobs say to Rails's logger stands among the server's lines, with the job's context.
    def self.share_log(logger)
      rails = ::Rails.logger
      return if rails.nil? || rails == logger || ::ActiveSupport::Logger.logger_outputs_to?(rails, $stdout)
      # From Rails 7.1 on.
      return rails.broadcast_to(logger) if rails.respond_to?(:broadcast_to)
      return rails.extend(::ActiveSupport::Logger.broadcast(logger)) if ::ActiveSupport::Logger.respond_to?(:broadcast)

      ::Rails.logger = ::ActiveSupport::BroadcastLogger.new(rails, logger)
    end

    config.before_configuration { Integration.register_adapter if defined?(::ActiveJob::QueueAdapters) }

    config.after_initialize do |app|
      Footplate.config.share_redis
      Footplate.configure_server do |config|
        share_log(config.logger)
        config.reloader = Reloader.new(app)
        config[:backtrace_cleaner] = ->(lines) { ::Rails.backtrace_cleaner.clean(lines) }
      end
    end
  end
end
