# frozen_string_literal: true

require "footplate/server/boot/numbers"

module Footplate
  module Server
    module Facade
      ##
      # Numbers that settings files set, and that the application may then set to anything. They are read when the
      # process starts, so that one which makes no sense keeps it from starting.
      module Limits
        # @return [Numeric] seconds
        def timeout
          Numbers.seconds(:timeout, self[:timeout] || 25)
        end

        def dead_max_jobs
          count(:dead_max_jobs, 10_000)
        end

        # @return [Integer] seconds
        def dead_timeout_in_seconds
          count(:dead_timeout_in_seconds, 180 * 24 * 60 * 60)
        end

        # @return [Integer] for jobs that say `retry: true`
        def max_retries
          Numbers.whole(:max_retries, self[:max_retries] || 25, least: 0, most: Numbers::MOST_RETRIES)
        end

        private

        def count(key, default)
          Numbers.whole(key, self[key] || default, least: 0)
        end
      end
    end
  end
end
