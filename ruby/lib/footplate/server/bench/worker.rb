# frozen_string_literal: true

# The application that both engines run while `footplate bench` measures: jobs that count in memory
# (footplate/bench/jobs.rb), and the application's Redis.
require "json"
require_relative "../../bench/jobs"

redis = JSON.parse(File.read(File.join(ENV.fetch("BENCH_DIR"), "redis")), symbolize_names: true)
if defined?(Sidekiq)
  Sidekiq.configure_server do |config|
    config.redis = redis
    config.logger.level = Logger::ERROR
  end
else
  Footplate.configure { |config| config.redis = redis }
end
require_relative(defined?(Footplate::Server::Facade) ? "aside" : "discreet_sidekiq")
Ledger.open
Ledger.write("hello", { identity: defined?(Sidekiq::CLI) ? Sidekiq::CLI.instance.identity : nil })
