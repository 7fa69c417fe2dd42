# frozen_string_literal: true

##
# Makes `queue_adapter = :footplate` work, whether Footplate or Active Job is loaded first. It may not load
# Active Job, nor define its constants early: other gems ask `defined?(ActiveJob)`.
#
# Active Job finds an adapter by constant lookup alone, so the constant is registered for autoload: by the load hook,
# which runs when ActiveJob::Base is loaded, before that looks for a name; and by the railtie, since
# config/application.rb may write the constant itself.
module Footplate
  # Under Bundler, every gem of the bundle is in loaded_specs before the first is required. The hooks' own
  # file is a few dozen lines and needs nothing else of Active Support.
  require "active_support/lazy_load_hooks" if Gem.loaded_specs.key?("activejob")

  # See above.
  module Integration
    # Registers the adapter once Active Support's hooks are there.
    def self.install
      return if @installed || !defined?(::ActiveSupport.on_load)

      @installed = true
      ::ActiveSupport.on_load(:active_job) do
        Integration.register_adapter
        Footplate::Job::Options.extend_active_job(self)
      end
    end

    # Loads nothing but Active Job's own list of what to load when it is asked for.
    def self.register_adapter
      ::ActiveJob::QueueAdapters.autoload(:FootplateAdapter, "active_job/queue_adapters/footplate_adapter")
    end

    # In the process that runs jobs Footplate is there before the application, which the block loads: it may
    # load Active Job without Bundler and without Rails, or nothing of the kind, and then nothing of Active
    # Support may be there.
    def self.await_active_job
      return yield if @installed

      bodies = TracePoint.new(:end) do
        install
        bodies.disable if @installed
      end
      bodies.enable
      yield
    ensure
      bodies&.disable
    end
  end

  Integration.install
end

require "footplate/railtie" if defined?(Rails::Railtie)
