# frozen_string_literal: true

require_relative "boot"
require "rails"
require "active_job/railtie"
require "active_record/railtie"
require "action_controller/railtie"

Bundler.require(*Rails.groups)

# A shop that sends receipts, takes payments and ships orders. Everything it does is a background job.
module Shop
  class Application < Rails::Application
    config.load_defaults Rails::VERSION::STRING.to_f
    config.eager_load = Rails.env.production?
    config.cache_classes = Rails.env.production?
    config.log_level = :info
    config.secret_key_base = "a demo has no secrets, but cookies must be signed with something"
    config.hosts.clear
    config.active_record.dump_schema_after_migration = false

    # bin/demo keeps everything that a run writes below target/demo.
    if (log_dir = ENV.fetch("DEMO_LOG_DIR", nil))
      config.paths["log"] = File.join(log_dir, "#{Rails.env}.log")
    end

    # The one line that a team changes for Active Job (and may leave alone: `:sidekiq` works with Footplate too).
    config.active_job.queue_adapter = Gem.loaded_specs.key?("footplate") ? :footplate : :sidekiq
  end
end
