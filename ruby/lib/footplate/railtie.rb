# frozen_string_literal: true

module Footplate
  ##
  # What a Rails application gives the server that runs its jobs: code reloading around each job and the
  # backtrace cleaner. With the sidekiq gem loaded its own engine does this, and the server asks there.
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

    config.after_initialize do |app|
      Footplate.configure_server do |config|
        config.reloader = Reloader.new(app)
        config[:backtrace_cleaner] = ->(lines) { ::Rails.backtrace_cleaner.clean(lines) }
      end
    end
  end
end
