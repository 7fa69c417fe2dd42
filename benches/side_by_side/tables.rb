# frozen_string_literal: true

require_relative "table"

module SideBySide
  ##
  # One table per kind of figure. Each has a row per load and engine that measured it.
  module Tables
    COSTS = { redis_cpu: [1e6, "%<n>.1f µs"], redis_commands: [1, "%<n>.3f"], worker_cpu: [1e6, "%<n>.1f µs"],
              collecting: [1e6, "%<n>.1f µs"], collections: [1, "%<n>.4f"], objects: [1, "%<n>.1f"],
              switches: [1, "%<n>.3f"] }.freeze

    module_function

    # @param summaries [Array<Summary>]
    # @return [Array<Array<String>>] the tables that have rows, as lines
    def all(summaries)
      summaries = summaries.reject { |summary| summary.load.curve }
      counted = of(summaries, *COUNTED)
      [throughput(counted), costs(counted), latency(of(summaries, :latency, :scheduled)),
       mixed(of(summaries, :mixed)), idle(of(summaries, :idle))].select { |lines| lines.size > 2 }
    end

    def of(summaries, *shapes)
      summaries.select { |summary| shapes.include?(summary.load.shape) }
    end

    def throughput(summaries)
      rows = summaries.flat_map do |summary|
        rows(summary) do |engine|
          [spread(summary, engine, :jobs_per_second, "%<n>d"), ratio(summary, engine, :ratio, "%<n>.1f"),
           Table.number(summary.figure(:of_limit, engine), "%<n>.2f"),
           Table.number(summary.figure(:of_undelayed, engine), "%<n>.2f"),
           summary.spread(engine, :jobs_per_second)&.runs.to_i.to_s]
        end + other_rows(summary)
      end
      Table.lines(["load", "engine", "jobs/s", "x Sidekiq", "of bare loop", "of 0 ms", "runs"], rows)
    end

    # What the engines are compared with.
    def other_rows(summary)
      %i[bare undelayed].filter_map do |engine|
        spread = summary.spread(engine, :jobs_per_second) or next
        [summary.load.title, Engines::TITLES[engine], Table.with_spread(spread, "%<n>d"), "", "", "", spread.runs.to_s]
      end
    end

    def costs(summaries)
      rows = summaries.flat_map do |summary|
        engines = summary.engines + (summary.per_job(:bare, :worker_cpu) ? [:bare] : [])
        rows(summary, engines) do |engine|
          [*COSTS.map { |name, (factor, pattern)| per_job(summary, engine, name, factor, pattern) },
           *%i[resident peak].map { |name| memory(summary, engine, name) }]
        end
      end
      Table.lines(["costs per job", "engine", "Redis CPU", "Redis commands", "worker CPU",
                   "GC time", "GC runs", "objects", "context switches", "memory", "peak"], rows)
    end

    def latency(summaries)
      rows = summaries.flat_map do |summary|
        rows(summary) do |engine|
          [*%i[p50 p99 p999 max].map { |name| spread(summary, engine, name, "%<n>.2f", missing(name)) },
           *%i[p50 p99].map { |name| ratio(summary, engine, name, "%<n>.2f") },
           Table.number(summary.spread(engine, :backlog)&.median, "%<n>d")]
        end
      end
      Table.lines(["latency", "engine", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "p50 / Sidekiq's", "p99 / Sidekiq's",
                   "queue at the end"], rows)
    end

    def mixed(summaries)
      rows = summaries.flat_map do |summary|
        rows(summary) { |engine| %i[all_done noops_done].map { |name| spread(summary, engine, name, "%<n>.1f s") } }
      end
      Table.lines(["mixed load", "engine", "all done", "no-op queue empty"], rows)
    end

    def idle(summaries)
      rows = summaries.flat_map do |summary|
        rows(summary) do |engine|
          [spread(summary, engine, :commands, "%<n>.1f"), spread(summary, engine, :cpu_percent, "%<n>.2f"),
           memory(summary, engine, :resident), spread(summary, engine, :startup, "%<n>.2f s", "")]
        end
      end
      Table.lines(["", "engine", "Redis commands/s", "CPU %", "memory", "start to first job"], rows)
    end

    def rows(summary, engines = summary.engines)
      engines.map { |engine| [summary.load.title, Engines::TITLES[engine], *yield(engine)] }
    end

    # A run of fewer than a thousand jobs has no p99.9; a load without any valid run has nothing.
    def missing(name)
      name == :p999 ? "" : "void"
    end

    def spread(summary, engine, name, pattern, missing = "void")
      spread = summary.spread(engine, name)
      spread ? Table.with_spread(spread, pattern) : missing
    end

    def ratio(summary, engine, name, pattern)
      engine == :sidekiq ? "" : Table.number(summary.figure(name, engine), pattern)
    end

    def per_job(summary, engine, name, factor, pattern)
      Table.number(summary.per_job(engine, name)&.then { |spread| spread.median * factor }, pattern)
    end

    def memory(summary, engine, name)
      Table.number(summary.spread(engine, name)&.then { |spread| spread.median / 1_024.0 }, "%<n>d MB")
    end
  end
end
