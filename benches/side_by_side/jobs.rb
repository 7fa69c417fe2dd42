# frozen_string_literal: true

require_relative "../../ruby/lib/footplate/bench/jobs"

##
# The jobs of the loads that `footplate bench` does not have. Each is called with its number first; the bare loops run
# the same classes.

class RaisingJob
  include Footplate::Bench::JOB

  def perform(number, _ratio)
    Ledger.runs[number] += 1
    raise "job #{number} fails"
  end
end

class SleepingJob
  include Footplate::Bench::JOB

  def perform(number, _ratio)
    sleep 0.05
    Ledger.runs[number] += 1
  end
end

class FibonacciJob
  include Footplate::Bench::JOB

  def perform(number, _ratio)
    a = 0
    b = 1
    2_000.times { a, b = b, a + b }
    Ledger.runs[number] += 1
  end
end

# In flight until the last job has run.
class HoldingJob
  include Footplate::Bench::JOB

  def perform
    Ledger.hold
  end
end

# The case study's three kinds. Its CPU-blocking job takes 20 ms on any machine: the thread's own time is counted.
class MixedNoopJob
  include Footplate::Bench::JOB

  def perform(number, _ratio)
    Ledger.runs[number] += 1
    Ledger.waits << Ledger.now
  end
end

class MixedCpuJob
  include Footplate::Bench::JOB

  def perform(number, _ratio)
    deadline = own_time + 0.02
    a = 0
    100.times { a += 1 } while own_time < deadline
    Ledger.runs[number] += 1
  end

  private

  def own_time
    Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID)
  end
end

class MixedIoJob
  include Footplate::Bench::JOB

  def perform(number, _ratio)
    sleep 0.5
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
