# frozen_string_literal: true

require "footplate/bench"
require "footplate/server/boot/boot_error"

module Footplate
  module Server
    class Bench
      ##
      # What no engine can be faster than: this Redis's answer to the smallest question, and Ruby running the same
      # jobs out of its own memory.
      module Limits
        ROUND_TRIPS = 500

        module_function

        # @return [Array<Float>] seconds, as a Ruby client sees them
        def round_trips(ground)
          ground.call("PING")
          Array.new(ROUND_TRIPS) do
            from = Footplate::Bench::Clock.now
            ground.call("PING")
            Footplate::Bench::Clock.now - from
          end
        end

        # @return [Float] jobs a second
        def bare_loop(jobs)
          Footplate::Bench::BareLoop.measure(jobs)[:jobs_per_second]
        rescue Footplate::Bench::Void => e
          raise BootError, "The bare loop came to no end: #{e.message.lines.last.chomp}"
        end
      end
    end
  end
end
