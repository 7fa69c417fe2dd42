# frozen_string_literal: true

require "forwardable"

module Footplate
  module Server
    ##
    # Lets the application's gems find the launcher they know. sidekiq-cron and others prepend modules to
    # Sidekiq::Launcher and do their work around `run`, `quiet` and `stop`. So an instance of that very class is
    # started and stopped, and only its own methods, below those modules, are ours.
    module GemLauncher
      # @param launcher [Launcher] has start, quiet, stop and stopping?
      # @return [#run, #quiet, #stop, #stopping?]
      def self.build(launcher)
        return Plain.new(launcher) unless defined?(::Sidekiq::VERSION)

        require "sidekiq/launcher"
        redefine(launcher)
        ::Sidekiq::Launcher.new(launcher.facade.gem_argument)
      end

      # Only the methods of the class itself: modules that were prepended to it still come first.
      def self.redefine(launcher)
        ::Sidekiq::Launcher.class_eval do
          define_method(:initialize) do |config, **|
            @config = @options = config
            @managers = []
            @done = false
          end
          define_method(:run) { |*, **| launcher.start }
          define_method(:quiet) { launcher.quiet }
          define_method(:stop) { launcher.stop }
          define_method(:stopping?) { launcher.stopping? }
        end
      end
      private_class_method :redefine

      # Without the gem.
      class Plain
        extend Forwardable

        def_delegator :@launcher, :start, :run
        def_delegators :@launcher, :quiet, :stop, :stopping?

        def initialize(launcher)
          @launcher = launcher
        end
      end
    end
  end
end
