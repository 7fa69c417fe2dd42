# frozen_string_literal: true

# The limit: what one Ruby process can do with the payloads of a load in its memory, without Redis, and without threads
# unless they are what the load is about.
#
#   BENCH_LOAD=noop BENCH_JOBS=200000 BENCH_DIR=. ruby bare_loop.rb    prints what it took, as JSON
require "json"
require_relative "app"
require_relative "payloads"

count = Integer(ENV.fetch("BENCH_JOBS"))
name = ENV.fetch("BENCH_LOAD")
payloads = Array.new(count) { |number| SideBySide::Payloads.job(name, number) }

# As a worker does before its first job, from Sidekiq 7.2 on and in Footplate.
Process.respond_to?(:warmup) ? Process.warmup : GC.start

before = Ledger.costs
started = Ledger.now
case name
when "activejob"
  payloads.each do |payload|
    job = JSON.parse(payload)
    ActiveJob::Base.execute(job["args"].first.merge("provider_job_id" => job["jid"]))
  end
when "cpu"
  job = FibonacciJob.new
  count.times { |number| job.perform(number, 1.5) }
when "sleep"
  threads = Integer(ENV.fetch("BENCH_THREADS"))
  sleepers = Array.new(threads) do |first|
    Thread.new { first.step(count - 1, threads) { |number| SleepingJob.new.perform(number, 1.5) } }
  end
  sleepers.each(&:join)
when "middleware"
  chain = Sidekiq::Middleware::Chain.new.tap { |it| pass_through(it) }
  payloads.each do |payload|
    job = JSON.parse(payload)
    instance = Object.const_get(job["class"]).new
    instance.jid = job["jid"]
    chain.invoke(instance, job, "default") { instance.perform(*job["args"]) }
  end
else
  payloads.each do |payload|
    job = JSON.parse(payload)
    instance = Object.const_get(job["class"]).new
    instance.jid = job["jid"]
    instance.perform(*job["args"])
  end
end
elapsed = Ledger.now - started
abort "the loop ran #{Ledger.runs.sum} of #{count} jobs" unless Ledger.runs.all?(1)
per_job = Ledger.costs.to_h { |cost, value| [cost, (value - before[cost]).fdiv(count)] }
puts JSON.generate(seconds: elapsed, per_job: per_job)
