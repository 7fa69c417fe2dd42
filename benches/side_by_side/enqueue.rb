# frozen_string_literal: true

# A process that only enqueues, with the client of BENCH_CLIENT (footplate or sidekiq): BENCH_JOBS no-ops, in the way of
# BENCH_LOAD. The file `jids` in BENCH_DIR gets their ids; what it took is printed as JSON.
require "json"

if ENV.fetch("BENCH_CLIENT") == "sidekiq"
  require_relative "sidekiq_gem"
else
  $LOAD_PATH.unshift(ENV.fetch("FOOTPLATE_LIB"))
  require "footplate"
  abort "the sidekiq gem is loaded" if defined?(Sidekiq)
end
require_relative "../../ruby/lib/footplate/bench/jobs"

count = Integer(ENV.fetch("BENCH_JOBS"))
bulk = ENV.fetch("BENCH_LOAD") == "enqueue-bulk"
arguments = Array.new(count) { |number| [number, 1.5] } if bulk

# The first loads what is loaded at first use, and opens the connection.
jids = [NoopJob.perform_async(count, 1.5)]
Process.respond_to?(:warmup) ? Process.warmup : GC.start

before = Ledger.costs
started = Ledger.now
if bulk
  jids.concat(NoopJob.perform_bulk(arguments))
else
  count.times { |number| jids << NoopJob.perform_async(number, 1.5) }
end
elapsed = Ledger.now - started

per_job = Ledger.per_job(before, count)
File.write(File.join(ENV.fetch("BENCH_DIR"), "jids"), jids.join("\n"))
puts JSON.generate(seconds: elapsed, per_job: per_job, **Ledger.memory)
