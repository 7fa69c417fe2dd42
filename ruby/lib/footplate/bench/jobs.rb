# frozen_string_literal: true

require_relative "ledger"

##
# Jobs that both benchmarks give to both engines. Those that do something are called with their number first; the bare
# loops run the same classes.
Ledger = Footplate::Bench::Ledger

Footplate::Bench::JOB =
  [defined?(Sidekiq::Job) && Sidekiq::Job, defined?(Sidekiq::Worker) && Sidekiq::Worker,
   defined?(Footplate::Job) && Footplate::Job].find(&:itself) || Module.new { attr_accessor :jid }

# Alone in the queue while the worker starts: the others are let in when it is there with all its threads.
class ReadyJob
  include Footplate::Bench::JOB

  def perform
    Ledger.ready
  end
end

# Behind all others: the clock stops once they have run.
class LastJob
  include Footplate::Bench::JOB

  def perform
    Ledger.last
  end
end

class NoopJob
  include Footplate::Bench::JOB

  def perform(number, _ratio)
    Ledger.runs[number] += 1
  end
end

class LatencyJob
  include Footplate::Bench::JOB

  def perform(number, intended)
    Ledger.waits << (Ledger.now - intended)
    Ledger.runs[number] += 1
  end
end

# Behind those, where others are to follow.
class WaitsJob
  include Footplate::Bench::JOB

  def perform(count)
    Ledger.tell_waits(count)
  end
end
