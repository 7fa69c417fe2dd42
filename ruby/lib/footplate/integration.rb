# frozen_string_literal: true

##
# Makes `queue_adapter = :footplate` work, whether Footplate or Active Job is loaded first. It may not load
# Active Job, nor define its constants early: other gems ask `defined?(ActiveJob)`.
#
# Active Job finds an adapter by constant lookup alone. Its load hook runs when ActiveJob::Base is loaded,
# before anybody can name an adapter, so the hook registers the constant for autoload.
module Footplate
  # Under Bundler, every gem of the bundle is in loaded_specs before the first is required. The hooks' own
  # file is a few dozen lines and needs nothing else of Active Support.
  require "active_support/lazy_load_hooks" if Gem.loaded_specs.key?("activejob")

  if defined?(::ActiveSupport.on_load)
    ::ActiveSupport.on_load(:active_job) do
      ::ActiveJob::QueueAdapters.autoload(:FootplateAdapter, "active_job/queue_adapters/footplate_adapter")
      Footplate::Job::Options.extend_active_job(self)
    end
  end
end

require "footplate/railtie" if defined?(Rails::Railtie)
