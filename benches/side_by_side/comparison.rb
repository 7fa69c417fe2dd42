# frozen_string_literal: true

require_relative "curve_table"
require_relative "details"
require_relative "report"
require_relative "surroundings"

module SideBySide
  ##
  # Several recordings beside each other, in Markdown: README's section on figures. A column, or a few, per recording.
  class Comparison
    # What the figures of a target are counted in, where its words do not say so.
    UNITS = { ratio: " ×", jobs_per_second: " jobs/s", redis_cpu: " µs", lateness: " ms", all_done: " s",
              noops_done: " s", cpu_percent: " %" }.freeze

    # @param recordings [Array<Recording>]
    def initialize(recordings)
      @recordings = recordings
      @summaries = recordings.to_h { |it| [it, it.loads.to_h { |load| [load.name, summary(it, load)] }] }
    end

    # @return [Array<String>] lines
    def lines
      parts = [surroundings, [void], throughput, latency, *Details.new(by_name).tables, targets, *curves]
      parts.reject(&:empty?).flat_map { |part| [*part, ""] }[..-2]
    end

    private

    def summary(recording, load)
      Summary.new(load, recording.results.select { |it| it.load == load.name })
    end

    def void
      results = @recordings.flat_map(&:results)
      "#{results.count(&:void)} of #{SideBySide.digits(results.size)} runs lost or doubled a job and are void."
    end

    # By system, and by commit where a system occurs twice.
    def name(recording)
      same = @recordings.count { |it| it.system == recording.system }
      same > 1 ? "#{recording.system} #{recording.surroundings[:commit]}" : recording.system
    end

    # The summaries of each load's name, by the recording's.
    def by_name
      @recordings.to_h { |it| [name(it), @summaries[it]] }
    end

    def surroundings
      rows = @recordings.map do |recording|
        facts = recording.surroundings
        cells = [facts[:date][/\S+/], facts[:commit], facts[:ruby][/\Aruby (\S+)/, 1],
                 *facts.values_at(:sidekiq, :activejob, :json, :redis), "#{facts[:cpu]}, #{facts[:cores]} cores"]
        [recording.system, *cells, facts[:load_average].first, recording.pairs].map(&:to_s)
      end
      head = ["system", "measured", "commit", "Ruby", "Sidekiq", "Active Job", "json", "Redis", "machine",
              "load average before", "pairs"]
      Table.lines(head, rows)
    end

    def throughput
      rows = rows(:burst) do |summary|
        [spread(summary, summary.door, :jobs_per_second, "%<n>d"), spread(summary, :sidekiq, :jobs_per_second, "%<n>d"),
         Table.number(summary.figure(:ratio), "%<n>.1f")]
      end
      table("jobs/s", %w[Footplate Sidekiq ×], rows)
    end

    def latency
      rows = rows(:latency, :scheduled) do |summary|
        [summary.door, :sidekiq].map { |engine| %i[p50 p99 p999].filter_map { part(summary, engine, _1) }.join(" / ") }
      end
      table("ms from push to perform: p50 / p99 / p99.9", %w[Footplate Sidekiq], rows)
    end

    def targets
      rows = TARGETS.map do |target|
        title = LOADS.find { |load| load.name == target.load }.title
        [title, "#{target.sense} #{SideBySide.digits(target.value)} #{Report::WORDS[target.figure]}",
         *@recordings.map { |it| verdict(target, @summaries[it][target.load]) }]
      end
      later = LATER.map { |title, target| [title, target, *@recordings.map { "needs several processes" }] }
      Table.lines(["load", "target", *@recordings.map { |it| name(it) }], rows + later)
    end

    def verdict(target, summary)
      value = summary&.figure(target.figure)
      return "not measured" unless value

      shown = Table.number(value, value < 1_000 ? "%<n>.2f" : "%<n>d") + UNITS[target.figure].to_s
      target.reached?(value) ? shown : "**#{shown}**, not reached"
    end

    def curves
      CURVES.flat_map do |curve|
        @recordings.filter_map do |recording|
          table = CurveTable.lines(curve, @summaries[recording].values)
          [name(recording), "", *table] if table.any?
        end
      end
    end

    # One row per load of these shapes that somebody measured; the block gives a recording's cells.
    def rows(*shapes, &cells)
      loads = LOADS.select { |load| shapes.include?(load.shape) && @summaries.values.any? { _1.key?(load.name) } }
      loads.map do |load|
        [load.title, *@recordings.flat_map { |it| cells(@summaries[it][load.name], &cells) }]
      end
    end

    def cells(summary)
      summary ? yield(summary) : yield(Summary.new(nil, [])).map { "" }
    end

    def table(title, columns, rows)
      return [] if rows.empty?

      Table.lines([title, *@recordings.flat_map { |it| columns.map { |column| "#{name(it)}: #{column}" } }], rows)
    end

    def spread(summary, engine, name, pattern)
      found = summary.spread(engine, name)
      found ? Table.with_spread(found, pattern) : ""
    end

    def part(summary, engine, name)
      summary.spread(engine, name)&.then { |it| Table.number(it.median, "%<n>.2f") }
    end
  end
end
