# frozen_string_literal: true

module Footplate
  ##
  # What the two benchmarks have in common: `footplate bench` (server/bench.rb), on an application's own Redis, and
  # `bin/bench` of the repository (benches/side_by_side), which has more loads and a redis-server of its own.
  #
  # Inside a worker: jobs.rb, ledger.rb. In the process that measures: payloads.rb and feeder.rb give it work, child.rb
  # starts, watches and stops it, program.rb and bare_loop.rb run what ends by itself, readings.rb looks at Redis,
  # spread.rb makes one figure out of many, void.rb says which runs do not count.
  #
  # A Sidekiq loads some of it without this gem, so each file requires what it needs by relative path, and nothing else
  # of Footplate.
  module Bench
  end
end

require_relative "bench/bare_loop"
require_relative "bench/child"
require_relative "bench/clock"
require_relative "bench/feeder"
require_relative "bench/payloads"
require_relative "bench/program"
require_relative "bench/readings"
require_relative "bench/spread"
require_relative "bench/void"
