# frozen_string_literal: true

# The application that both engines run: plain Ruby, given with -r. BENCH_LOAD says which kind of load.
require "sidekiq"

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
