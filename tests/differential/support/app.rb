# frozen_string_literal: true

# The application that both servers run. Every job leaves its runs in the ledger, every block and handler a note.
require "logger"
require "sidekiq"
begin
  require "active_job"
rescue LoadError
  nil
end
require_relative "../../chaos/support/ledger"

Sidekiq.configure_client { |config| config.redis = { url: ENV.fetch("REDIS_URL") } }
Sidekiq.configure_server do |config|
  config.redis = { url: ENV.fetch("REDIS_URL") }
  note_death = ->(job, error) { Ledger.note("death", [job["args"], job["retry_count"], error.class].inspect) }
  config.death_handlers << note_death
  settings = config.respond_to?(:[]=) ? config : Sidekiq.options
  settings[:poll_interval_average] = 0.5
  # Takes the jobs off Footplate's native path, and changes nothing else.
  settings[:reloader] = ->(&block) { block.call } if ENV["RELOADER"]
  quiet = Logger.new($stdout, level: Logger::ERROR)
  config.respond_to?(:logger=) ? config.logger = quiet : Sidekiq.logger = quiet
end

# Changes nothing.
class Passing
  def call(*)
    yield
  end
end

if ENV["MIDDLEWARE"]
  Sidekiq.configure_server { |config| config.server_middleware { |chain| chain.add(Passing) } }
end

JobModule = defined?(Sidekiq::Job) ? Sidekiq::Job : Sidekiq::Worker
require_relative "jobs"
require_relative "active_jobs" if defined?(ActiveJob)
