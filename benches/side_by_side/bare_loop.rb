# frozen_string_literal: true

# The limit of a load: its jobs run out of one Ruby process's memory.
#
#   BENCH_LOAD=noop BENCH_JOBS=200000 BENCH_DIR=. ruby bare_loop.rb    prints what it took, as JSON
require "json"
require_relative "../../ruby/lib/footplate/bench/bare_loop"
require_relative "app"
require_relative "payloads"

count = Integer(ENV.fetch("BENCH_JOBS"))
name = ENV.fetch("BENCH_LOAD")
payloads = Array.new(count) { |number| SideBySide::Payloads.job(name, number) }

Footplate::Bench::BareLoop.run do
  case name
  when /\Aactivejob/
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
    Footplate::Bench::BareLoop.perform(payloads)
  end
end
