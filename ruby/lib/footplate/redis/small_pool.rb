# frozen_string_literal: true

require "timeout"

module Footplate
  module Redis
    ##
    # What this gem needs of connection_pool, for applications that do not have that gem. One difference in
    # kind: connections are handed out latest first, so that those a burst opened can idle.
    class SmallPool
      # No connection came free in time.
      class TimeoutError < ::Timeout::Error; end

      # @param size [Integer] connections at most
      # @param timeout [Numeric] seconds to wait for a free one
      # @yieldreturn a new connection
      def initialize(size:, timeout:, &build)
        @size = size
        @timeout = timeout
        @build = build
        @free = []
        @made = 0
        @lock = Mutex.new
        @returned = ConditionVariable.new
        @key = :"footplate_pool_#{object_id}"
      end

      # Yields a connection. Nested calls in one thread (fiber) get the same one.
      # @raise [TimeoutError]
      def with
        held = Thread.current[@key]
        return yield held if held

        # A thread that is killed, or raised into, must not take a connection with it.
        Thread.handle_interrupt(Exception => :never) do
          connection = Thread.current[@key] = checkout
          Thread.handle_interrupt(Exception => :immediate) { yield connection }
        ensure
          Thread.current[@key] = nil
          checkin(connection) if connection
        end
      end

      private

      def checkout
        deadline = now + @timeout
        @lock.synchronize do
          wait_until(deadline) while @free.empty? && @made == @size
          @free.pop || make
        end
      end

      def make
        connection = @build.call
        @made += 1
        connection
      end

      def wait_until(deadline)
        left = deadline - now
        raise TimeoutError, "no Redis connection came free within #{@timeout} s (#{@size} in use)" if left <= 0

        @returned.wait(@lock, left)
      end

      def checkin(connection)
        @lock.synchronize do
          @free.push(connection)
          @returned.signal
        end
      end

      def now
        Process.clock_gettime(Process::CLOCK_MONOTONIC)
      end
    end
  end
end
