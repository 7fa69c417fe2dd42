# frozen_string_literal: true

require "sidekiq"

# Debian 12's Sidekiq 6.4 calls redis 4.8 in a way that this warns of with each job it fetches or pushes; that is not
# what is measured.
Redis.silence_deprecations = true if defined?(Redis) && Redis.respond_to?(:silence_deprecations=)
