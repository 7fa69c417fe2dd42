# frozen_string_literal: true

# Waiting for a state, with a deadline.
module Waiting
  class TooLate < StandardError; end

  LOOK = 0.005

  # @yieldreturn what is waited for
  # @return it
  # @raise [TooLate]
  def eventually(what, within: 60)
    deadline = now + within
    loop do
      found = yield
      return found if found
      raise TooLate, "#{what}: not within #{within} s" if now > deadline

      IO.select(nil, nil, nil, LOOK)
    end
  end

  # Keeps a fault up for a time: the time is what is tested, nothing is waited for.
  def last(seconds)
    IO.select(nil, nil, nil, seconds)
  end

  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end
end
