# frozen_string_literal: true

module Footplate
  module Server
    ##
    # What stands between a job's log lines and its middleware: the profiler of Sidekiq 8, for a job that asks for it,
    # and the application's reloader.
    class Surroundings
      def initialize(facade)
        @facade = facade
        @reloader = facade.reloader
      end

      # Whether there is a reloader that does more than call its block.
      def reloader?
        !@reloader.nil?
      end

      def call(payload, &block)
        return reloaded(&block) unless payload["profile"] && defined?(::Sidekiq::Profiler)

        ::Sidekiq::Profiler.new(@facade.gem_argument).call(payload) { reloaded(&block) }
      end

      private

      def reloaded(&block)
        @reloader ? @reloader.call(&block) : yield
      end
    end
  end
end
