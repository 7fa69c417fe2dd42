# frozen_string_literal: true

# Jobs that run, that meet, and that end in every way.
class Mark
  include Footplate::Job

  def perform(id) = mark(id)
end

# Runs in as many threads at once as there are, or never ends.
class Meet
  include Footplate::Job

  LOCK = Mutex.new
  ALL = ConditionVariable.new
  @here = 0

  class << self
    attr_accessor :here
  end

  def perform(count)
    LOCK.synchronize do
      Meet.here += 1
      ALL.broadcast
      ALL.wait(LOCK) until Meet.here >= count
    end
    mark("met")
  end
end

class Poison
  include Footplate::Job
  sidekiq_options retry: 3
  sidekiq_retry_in { 100_000 }

  def perform(kind)
    case kind
    when "kill" then Thread.current.kill
    when "throw" then throw(:nobody_catches)
    when "exit" then exit(3)
    when "exception" then raise Exception, "as such" # rubocop:disable Lint/RaiseException
    when "memory" then raise NoMemoryError
    when "overflow" then perform(kind)
    # A return from a frame that is not there.
    when "return" then Thread.new { return }.join
    when "later" then Thread.current.raise(ArgumentError, "from itself")
    when "shutdown" then raise Object.const_defined?("Sidekiq::Shutdown") ? Sidekiq::Shutdown : Footplate::Shutdown
    end
  end
end

# Needs the processor for a while.
class Busy
  include Footplate::Job

  @ended = 0

  class << self
    attr_accessor :ended
  end

  def perform(milliseconds)
    over = processor_time + (milliseconds / 1000.0)
    nil while processor_time < over
    Busy.ended += 1
  end

  def processor_time = Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID)
end

# Computes until so many others ended, and marks how many milliseconds of the processor it had.
class Hog
  include Footplate::Job

  def perform(count)
    nil while Busy.ended < count
    mark((Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID) * 1000).round.to_s)
  end
end

# Waits for something now and then while others are at work, and marks how many of them were let in before it meanwhile:
# in the best of the cases, since on a busy machine the kernel may let it wait as well.
class Waiting
  include Footplate::Job

  def perform(times)
    sleep(0.001) until Busy.ended.positive?
    counts = Array.new(times) do
      before = Busy.ended
      sleep(0.0001)
      Busy.ended - before
    end
    mark(counts.sort[times / 10].to_s)
  end
end
