# frozen_string_literal: true

# The application of the chaos tests: each job writes to the ledger.
begin
  require "sidekiq"
  %i[configure_client configure_server].each do |side|
    Sidekiq.public_send(side) { |config| config.redis = { url: ENV.fetch("REDIS_URL") } }
  end
rescue LoadError
  require "footplate"
end
require_relative "ledger"

JobModule =
  if defined?(Sidekiq)
    defined?(Sidekiq::Job) ? Sidekiq::Job : Sidekiq::Worker
  else
    Footplate::Job
  end

class MarkingJob
  include JobModule

  # @param work [Numeric] seconds that it takes besides
  def perform(id, work = 0)
    sleep(work) if work.positive?
    Ledger.mark(id)
  end
end

# Marks its beginning, and ends when the test lets it.
class GateJob
  include JobModule

  def perform(id, gate, outcome = "succeeds")
    Ledger.mark(id)
    Ledger.await(gate)
    raise "as it should" if outcome == "fails"
  end
end

require_relative "poison" if ENV["POISON"]
require_relative "tally" if ENV["TALLY"]
