# frozen_string_literal: true

require_relative "ledger"

##
# The jobs of every load. Each is called with its number first; the bare loops run the same classes.
JOB_MODULE = defined?(Sidekiq::Job) ? Sidekiq::Job : Sidekiq::Worker

# Alone in the queue while the worker starts: the others are let in when it is there with all its threads.
class ReadyJob
  include JOB_MODULE

  def perform
    Ledger.ready
  end
end

# Behind all others: the clock stops once they have run.
class LastJob
  include JOB_MODULE

  def perform
    Ledger.last
  end
end

class NoopJob
  include JOB_MODULE

  def perform(number, _ratio)
    Ledger.runs[number] += 1
  end
end

class RaisingJob
  include JOB_MODULE

  def perform(number, _ratio)
    Ledger.runs[number] += 1
    raise "job #{number} fails"
  end
end

class SleepingJob
  include JOB_MODULE

  def perform(number, _ratio)
    sleep 0.05
    Ledger.runs[number] += 1
  end
end

class FibonacciJob
  include JOB_MODULE

  def perform(number, _ratio)
    Ledger.runs[number] += 1
    a = 0
    b = 1
    2_000.times { a, b = b, a + b }
  end
end

class LatencyJob
  include JOB_MODULE

  def perform(number, pushed)
    Ledger.waits << (Ledger.now - pushed)
    Ledger.runs[number] += 1
  end
end

if defined?(ActiveJob)
  class NoopActiveJob < ActiveJob::Base
    def perform(number, _ratio)
      Ledger.runs[number] += 1
    end
  end
end
