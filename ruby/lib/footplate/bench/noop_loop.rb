# frozen_string_literal: true

# The bare loop of no-ops, as a program: BENCH_JOBS=50000 BENCH_DIR=. ruby noop_loop.rb
require_relative "bare_loop"
require_relative "jobs"
require_relative "payloads"

Footplate::Bench::Ledger.open
payloads = Footplate::Bench::Ledger.runs.each_index.map do |number|
  Footplate::Bench::Payloads.plain("NoopJob", "#{number},1.5")
end
Footplate::Bench::BareLoop.run { Footplate::Bench::BareLoop.perform(payloads) }
