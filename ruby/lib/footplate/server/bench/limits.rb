# frozen_string_literal: true

require "open3"
require "rbconfig"

module Footplate
  module Server
    class Bench
      ##
      # What no engine can be faster than: this Redis's answer to the smallest question, and Ruby running the same
      # jobs out of its own memory.
      module Limits
        ROUND_TRIPS = 500

        module_function

        # @return [Array<Float>] seconds, sorted, as a Ruby client sees them
        def round_trips(ground)
          ground.call("PING")
          Array.new(ROUND_TRIPS) do
            from = now
            ground.call("PING")
            now - from
          end.sort
        end

        # In a process of its own: the application's objects would slow the garbage collector.
        # @return [Float] jobs a second
        def bare_loop(jobs)
          out, status = Open3.capture2(RbConfig.ruby, File.join(__dir__, "bare_loop.rb"), jobs.to_s)
          raise BootError, "The bare loop ended with #{status.exitstatus || status}" unless status.success?

          Float(out)
        end

        # @param sorted [Array<Float>]
        # @return [Float, nil]
        def percentile(sorted, share)
          sorted[(share * (sorted.size - 1)).round]
        end

        def now
          Process.clock_gettime(Process::CLOCK_MONOTONIC)
        end
      end
    end
  end
end
