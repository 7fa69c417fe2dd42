# frozen_string_literal: true

module SideBySide
  ##
  # Jobs come one by one, at a rate, and what counts is how long each waits.
  class LatencyRun < Run
    private

    def fill; end

    def go
      feeder = Bench::Feeder.new(@load.rate) { |number, moment| Payloads.job(@load.kind, number, moment) }
      feeder.push(@jobs) { |batch| @redis.push(batch) }
      # What had not been started as the last was pushed: an engine that keeps up leaves none.
      @backlog = @redis.call("LLEN", "queue:default")
      sleep Bench::Feeder::SETTLE
      @redis.push([Payloads.plain("LastJob")])
    end

    def special(finish)
      { **Bench.percentiles(finish[:waits]), backlog: @backlog }
    end
  end
end
