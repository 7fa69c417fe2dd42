# frozen_string_literal: true

# Waiting for a state, with a deadline.
module Waiting
  class TooLate < StandardError; end

  LOOK = 0.005

  # @yieldreturn what is waited for
  # @param look [Numeric] seconds between two looks
  # @return it
  # @raise [TooLate]
  def eventually(what, within: 60, look: LOOK)
    deadline = now + within
    loop do
      found = yield
      return found if found
      raise TooLate, "#{what}: not within #{within} s\n#{circumstances}" if now > deadline

      IO.select(nil, nil, nil, look)
    end
  end

  # For the message of a failure: whoever includes this may know more.
  def circumstances
    ""
  end

  # Keeps a fault up for a time: the time is what is tested, nothing is waited for.
  def last(seconds)
    IO.select(nil, nil, nil, seconds)
  end

  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end
end
