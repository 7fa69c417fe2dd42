# frozen_string_literal: true

require_relative "monitor"

module SideBySide
  ##
  # A worker without jobs: what it asks of Redis and of the processor.
  class IdleRun < Run
    # Until what a start does is over.
    SETTLE = 3
    # A whole number of heartbeats of either engine.
    SECONDS = 10

    private

    def fill; end

    def go
      sleep SETTLE
      cpu = processor
      watched = now
      commands = Monitor.new(@redis).commands(seconds)
      watched = now - watched
      @idle = { commands: commands.values.sum / watched, by_name: commands,
                cpu_percent: (processor - cpu) * 100 / watched }
      @redis.push([Payloads.plain("LastJob")])
    end

    def seconds
      SECONDS
    end

    def special(_finish)
      @idle
    end

    # Seconds so far, of all threads, to the nanosecond (`stat` counts in hundredths of a second).
    def processor
      Dir["/proc/#{@worker.pid}/task/*/schedstat"].sum do |path|
        File.read(path).to_i / 1e9
      rescue Errno::ENOENT, Errno::ESRCH
        0
      end
    end
  end
end
