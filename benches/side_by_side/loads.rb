# frozen_string_literal: true

module SideBySide
  ##
  # What is measured, as data.
  #
  # name::     for `--only`
  # title::    for the table
  # jobs::     how many, for Footplate
  # fewer::    Sidekiq gets `jobs / fewer`, so that both run for a second or more
  # threads::  of the worker
  # bare::     the loop in one Ruby process without Redis that limits this load (see bare_loop.rb), or nil
  # limit::    a limit that needs no measuring, in jobs/s
  # rate::     jobs/s pushed to an idle worker; such a load measures latency, and its jobs are seconds' worth
  # logging::  the default logger's lines, to a file; otherwise the log level is error
  # retries::  every job ends in the retry set, and the run with the last that is stored there
  Load = Struct.new(:name, :title, :jobs, :fewer, :threads, :bare, :limit, :rate, :logging, :retries,
                    keyword_init: true) do
    def latency?
      !rate.nil?
    end

    # Jobs for an engine. For latency: enough for `seconds` at the rate.
    def count(engine, scale, seconds)
      return (rate * seconds).round if latency?

      count = jobs * scale
      count /= fewer if engine == :sidekiq
      [count.round, 200].max
    end
  end

  LOADS = [
    Load.new(name: "noop", title: "no-op, logs quiet", jobs: 200_000, fewer: 4, threads: 10, bare: "noop"),
    Load.new(name: "logging", title: "no-op, default logging to a file", jobs: 100_000, fewer: 8, threads: 10,
             logging: true),
    Load.new(name: "middleware", title: "no-op, 5 pass-through middlewares", jobs: 100_000, fewer: 4, threads: 10),
    Load.new(name: "activejob", title: "Active Job no-op", jobs: 30_000, fewer: 3, threads: 10, bare: "activejob"),
    Load.new(name: "raising", title: "every job raises, retry stored", jobs: 30_000, fewer: 6, threads: 10,
             retries: true),
    Load.new(name: "sleep", title: "sleep 50 ms, 1,000 threads", jobs: 80_000, fewer: 4, threads: 1_000,
             limit: 20_000),
    Load.new(name: "cpu", title: "CPU-bound (2,000-step Fibonacci)", jobs: 3_000, fewer: 1, threads: 10, bare: "cpu"),
    Load.new(name: "latency10", title: "push to perform, 10/s", threads: 10, rate: 10),
    Load.new(name: "latency100", title: "push to perform, 100/s", threads: 10, rate: 100)
  ].freeze

  ##
  # A target of performance.md: information, not a verdict.
  #
  # figure:: :ratio (to Sidekiq), :of_limit, :jobs_per_second, :p50, :p99 (both as a ratio to Sidekiq's), or
  #          :memory (the resident size, as a ratio to Sidekiq's)
  Target = Struct.new(:load, :figure, :sense, :value) do
    def reached?(measured)
      measured&.public_send(sense, value)
    end
  end

  TARGETS = [
    Target.new("noop", :ratio, :>=, 20), Target.new("noop", :of_limit, :>=, 1.2), Target.new("noop", :memory, :<, 1),
    Target.new("logging", :ratio, :>=, 35),
    Target.new("middleware", :ratio, :>=, 12),
    Target.new("activejob", :ratio, :>=, 4.5), Target.new("activejob", :of_limit, :>=, 0.85),
    Target.new("raising", :ratio, :>=, 10),
    Target.new("sleep", :jobs_per_second, :>=, 19_500), Target.new("sleep", :memory, :<, 1),
    Target.new("cpu", :of_limit, :>=, 0.97),
    Target.new("latency10", :p50, :<, 1), Target.new("latency10", :p99, :<, 1),
    Target.new("latency100", :p50, :<, 1), Target.new("latency100", :p99, :<, 1)
  ].freeze
end
