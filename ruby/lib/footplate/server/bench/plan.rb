# frozen_string_literal: true

module Footplate
  module Server
    class Bench
      ##
      # How much is measured, and what that takes.
      class Plan
        # Of one job in a list, its payload and what Redis adds, rounded up: it stands there twice while it runs.
        BYTES_PER_JOB = 400
        # Pushes a second while latency is measured; far below what any engine can do.
        RATE = 100

        attr_reader :jobs, :pairs, :latency_jobs, :json

        def initialize(jobs: nil, pairs: nil, quick: false, json: false)
          @jobs = jobs || (quick ? 10_000 : 50_000)
          @pairs = pairs || (quick ? 1 : 3)
          @latency_jobs = (quick ? 100 : 300).clamp(1, @jobs)
          @json = json
        end

        def bytes
          jobs * BYTES_PER_JOB
        end

        def megabytes
          (bytes / 1e6).ceil
        end

        # @return [Numeric] seconds after which a run is given up; a tenth of what a slow Sidekiq does
        def patience
          60 + (jobs / 200)
        end
      end
    end
  end
end
