# frozen_string_literal: true

# There is nothing to configure for Footplate: it reads REDIS_URL as Sidekiq does, and runs this block as Sidekiq does.
Sidekiq.configure_server do |config|
  config.on(:startup) { Rails.logger.info("The shop is open") }
end

Sidekiq.strict_args!

# The redis gem 4.8 warns at each push that the answer of `sadd` will change in 5.0; Sidekiq does not look at it.
Redis.sadd_returns_boolean = false if defined?(Redis) && Redis.respond_to?(:sadd_returns_boolean=)
