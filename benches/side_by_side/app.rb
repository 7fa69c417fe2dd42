# frozen_string_literal: true

# The application that both engines run: plain Ruby, given with -r. BENCH_LOAD says which kind of load.
require "sidekiq"

# Debian 12's Sidekiq 6.4 calls redis 4.8 in a way that this warns of with each job it fetches; that is not what is
# measured.
Redis.silence_deprecations = true if defined?(Redis) && Redis.respond_to?(:silence_deprecations=)

bench_load = ENV.fetch("BENCH_LOAD")

if bench_load == "activejob"
  require "active_job"
  ActiveJob::Base.queue_adapter = :sidekiq
  ActiveJob::Base.logger = nil
end

def pass_through(chain)
  5.times { chain.add(Class.new { define_method(:call) { |*, &job| job.call } }) }
end

Sidekiq.configure_server do |config|
  config.redis = { url: ENV.fetch("REDIS_URL") }
  config.logger.level = Logger::ERROR unless bench_load == "logging"
  config.server_middleware { |chain| pass_through(chain) } if bench_load == "middleware"
end

require_relative "jobs"
Ledger.open
