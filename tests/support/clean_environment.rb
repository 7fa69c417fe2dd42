# frozen_string_literal: true

# What the machine that runs the suite says about environments, threads, supervisors and gems does not count.
module CleanEnvironment
  SETTINGS = %w[APP_ENV RAILS_ENV RACK_ENV RAILS_MAX_THREADS REDIS_PROVIDER DYNO NOTIFY_SOCKET WATCHDOG_USEC].freeze
  GEMS = %w[BUNDLE_GEMFILE RUBYOPT].freeze

  # For Process.spawn and its like.
  def self.without(names = SETTINGS + GEMS)
    names.to_h { |name| [name, nil] }
  end
end
