# frozen_string_literal: true

require_relative "clock"

module Footplate
  module Bench
    ##
    # Pushes jobs at the moments of a timetable that is fixed before: an open loop, which takes no notice of how the
    # worker keeps up. Each job carries the moment at which it ought to be pushed, by the clock that all processes of a
    # machine share, so that a feeder that comes late (it then pushes all that is due at once) counts as waiting, too.
    class Feeder
      include Clock

      SETTLE = 0.5
      # A sleep ends late by about this much, so the last part is waited for awake, if jobs are far enough apart to
      # leave the processor to others.
      SLACK = 0.000_1
      AWAKE_BELOW = 2_000

      # @param rate [Numeric] jobs a second
      # @yieldparam number [Integer] of a job
      # @yieldparam moment [Float] at which it is due
      # @yieldreturn [String] its payload
      def initialize(rate, &payload)
        @rate = rate
        @payload = payload
      end

      # @yieldparam payloads [Array<String>] to be pushed now, in this order
      def push(count, &out)
        # Payloads first: making them takes longer than pushing them.
        start = now + SETTLE + (count * 0.000_02)
        moments = Array.new(count) { |number| start + (number.to_f / @rate) }
        payloads = moments.each_with_index.map { |moment, number| @payload.call(number, moment) }
        pushed = 0
        without_collections { pushed += push_due(moments, payloads, pushed, out) while pushed < count }
      end

      private

      # A garbage collection in the feeder takes longer than most jobs wait, and would count as their waiting. Measured:
      # 1.3 ms every 19 pushes.
      def without_collections
        GC.start
        GC.disable
        yield
      ensure
        GC.enable
      end

      def push_due(moments, payloads, pushed, out)
        wait_until(moments[pushed])
        due = [((now - moments.first) * @rate).floor + 1 - pushed, 1].max
        batch = payloads[pushed, due]
        out.call(batch)
        batch.size
      end

      def wait_until(moment)
        ahead = moment - now - SLACK
        sleep ahead if ahead.positive?
        nil while @rate < AWAKE_BELOW && now < moment
      end
    end
  end
end
