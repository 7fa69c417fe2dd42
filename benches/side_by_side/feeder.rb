# frozen_string_literal: true

require_relative "payloads"

module SideBySide
  ##
  # Pushes jobs to an idle worker at a fixed rate, however long they take there. Each carries the moment of its push, by
  # the clock that all processes of a machine share.
  class Feeder
    SETTLE = 0.5

    def initialize(redis, load)
      @redis = redis
      @load = load
    end

    def push(count)
      sleep SETTLE
      started = now
      count.times do |number|
        ahead = started + (number.to_f / @load.rate) - now
        sleep ahead if ahead.positive?
        @redis.call("LPUSH", "queue:default", Payloads.job(@load.name, number, now))
      end
      sleep SETTLE
    end

    # @param waits [Array<Float>] seconds
    # @return [Hash{Symbol => Float}] milliseconds
    def self.percentiles(waits)
      return {} if waits.empty?

      sorted = waits.sort
      at = ->(share) { sorted[(share * (sorted.size - 1)).round] * 1_000 }
      { p50: at.call(0.5), p99: at.call(0.99), max: sorted.last * 1_000 }
    end

    private

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end
end
