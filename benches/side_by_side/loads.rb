# frozen_string_literal: true

require_relative "load"

module SideBySide
  # At 10/s three times as long: the 99th percentile of a hundred jobs is one job.
  def self.longer(rate)
    rate < 100 ? 3 : 1
  end

  LOADS = [
    # As many for both: memory is compared after them.
    Load.new(name: "noop", title: "no-op, logs quiet", jobs: 200_000, bare: "noop"),
    Load.new(name: "logging", title: "no-op, default logging to a file", jobs: 100_000, fewer: 8),
    Load.new(name: "middleware", title: "no-op, 5 pass-through middlewares", jobs: 100_000, fewer: 4,
             bare: "middleware"),
    Load.new(name: "activejob", title: "Active Job no-op, its logger nil", jobs: 30_000, fewer: 3, bare: "activejob"),
    Load.new(name: "activejob-info", title: "Active Job no-op, its logger at info", jobs: 30_000, fewer: 3,
             bare: "activejob-info"),
    Load.new(name: "raising", title: "every job raises, retry stored", jobs: 30_000, fewer: 6, retries: true),
    Load.new(name: "sleep", title: "sleep 50 ms, 1,000 threads", jobs: 80_000, fewer: 4, threads: 1_000,
             bare: "sleep"),
    Load.new(name: "cpu", title: "CPU-bound (2,000-step Fibonacci)", jobs: 3_000, bare: "cpu"),
    Load.new(name: "noop+1ms", title: "no-op, 1 ms added to each round trip", kind: "noop", jobs: 200_000, fewer: 8,
             delay: 1, undelayed: true),
    *[10, 100, 1_000, 10_000].map do |rate|
      Load.new(name: "latency#{rate}", title: "push to perform, #{SideBySide.digits(rate)}/s", kind: "latency",
               shape: :latency, rate: rate, longer: SideBySide.longer(rate), slow: rate >= 1_000)
    end,
    *[10, 100].map do |rate|
      Load.new(name: "latency#{rate}+1ms", title: "push to perform, #{rate}/s, 1 ms added", kind: "latency",
               shape: :latency, rate: rate, longer: SideBySide.longer(rate), delay: 1, slow: true)
    end,
    Load.new(name: "scheduled", title: "scheduled job, lateness, 1,000,000 in the set", kind: "latency",
             shape: :scheduled, rate: 100, far: 1_000_000, slow: true),
    Load.new(name: "mixed", title: "1,000 each of no-op, 20 ms CPU and sleep 0.5 s", shape: :mixed, jobs: 3_000,
             threads: 25, queues: 3, slow: true),
    Load.new(name: "idle", title: "idle process", shape: :idle, jobs: 0, slow: true),
    Load.new(name: "enqueue", title: "client: perform_async in a loop", shape: :enqueue, jobs: 30_000),
    Load.new(name: "enqueue-bulk", title: "client: perform_bulk", shape: :enqueue, jobs: 200_000)
  ].freeze
end
