# frozen_string_literal: true

# The application that both engines run: plain Ruby, given with -r. BENCH_LOAD says which kind of load.
require_relative "sidekiq_gem"

bench_load = ENV.fetch("BENCH_LOAD")

# As Rails sets it up in production: tagged lines from info on, here in a file.
def rails_logger
  require "active_support/tagged_logging"
  file = File.join(ENV.fetch("BENCH_DIR"), "active_job.log")
  ActiveSupport::TaggedLogging.new(ActiveSupport::Logger.new(file, level: Logger::INFO))
end

if bench_load.start_with?("activejob")
  require "active_job"
  ActiveJob::Base.queue_adapter = :sidekiq
  ActiveJob::Base.logger = bench_load == "activejob-info" ? rails_logger : nil
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
