# frozen_string_literal: true

require_relative "payloads"

module SideBySide
  ##
  # Pushes jobs at the moments of a timetable that is fixed before: an open loop, which takes no notice of how the
  # worker keeps up. Each job carries the moment at which it ought to be pushed, by the clock that all processes of a
  # machine share, so that a feeder that comes late (it then pushes all that is due at once) counts as waiting, too.
  class Feeder
    SETTLE = 0.5
    # A sleep ends late by about so much; the rest of the way is waited for awake, where jobs are far enough apart to
    # leave the processor to others.
    SLACK = 0.000_1
    AWAKE_BELOW = 2_000

    def initialize(redis, load)
      @redis = redis
      @load = load
    end

    def push(count)
      # Payloads first: making them takes longer than pushing them.
      start = now + SETTLE + (count * 0.000_02)
      moments = Array.new(count) { |number| start + (number.to_f / @load.rate) }
      payloads = moments.each_with_index.map { |moment, number| Payloads.job(@load.kind, number, moment) }
      pushed = 0
      without_collections { pushed += push_due(moments, payloads, pushed) while pushed < count }
    end

    # @param waits [Array<Float>] seconds
    # @return [Hash{Symbol => Float}] milliseconds
    def self.percentiles(waits)
      return {} if waits.empty?

      sorted = waits.sort
      at = ->(share) { sorted[(share * (sorted.size - 1)).round] * 1_000 }
      # Of fewer than a thousand the highest is the highest, and no one in a thousand.
      rare = sorted.size < 1_000 ? {} : { p999: at.call(0.999) }
      { p50: at.call(0.5), p99: at.call(0.99), **rare, max: sorted.last * 1_000 }
    end

    private

    # One of the feeder's own takes longer than most jobs wait, and would count as their waiting. Measured: every 19
    # pushes, 1.3 ms.
    def without_collections
      GC.start
      GC.disable
      yield
    ensure
      GC.enable
    end

    def push_due(moments, payloads, pushed)
      wait_until(moments[pushed])
      due = [((now - moments.first) * @load.rate).floor + 1 - pushed, 1].max
      batch = payloads[pushed, due]
      @redis.push(batch)
      batch.size
    end

    def wait_until(moment)
      ahead = moment - now - SLACK
      sleep ahead if ahead.positive?
      nil while @load.rate < AWAKE_BELOW && now < moment
    end

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end
end
