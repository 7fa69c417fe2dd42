# frozen_string_literal: true

require_relative "curve_table"
require_relative "details"
require_relative "notes"
require_relative "provenance"
require_relative "recording"
require_relative "tables"
require_relative "verdict"

module SideBySide
  ##
  # Several recordings beside each other, in Markdown: what docs/benchmarks.md shows. A column, or a few, per recording.
  class Comparison
    # @param recordings [Array<Recording>]
    def initialize(recordings)
      @recordings = recordings
      @summaries = recordings.to_h { |it| [it, it.summaries.to_h { |summary| [summary.load.name, summary] }] }
    end

    # @return [Array<String>] lines
    def lines
      parts = [Provenance.lines(@recordings), notes, throughput, latency, *Details.new(by_name).tables, targets,
               *curves]
      parts.reject(&:empty?).flat_map { |part| [*part, ""] }[..-2]
    end

    private

    # By system, and by commit where a system occurs twice.
    def name(recording)
      same = @recordings.count { |it| it.system == recording.system }
      same > 1 ? "#{recording.system} #{recording.parts.last.surroundings[:commit]}" : recording.system
    end

    # The summaries of each load's name, by the recording's.
    def by_name
      @recordings.to_h { |it| [name(it), @summaries[it]] }
    end

    def notes
      all = @summaries.values.flat_map(&:values)
      behind = @recordings.flat_map { |it| Notes.behind(@summaries[it].values, name(it)) }
      [*Notes.of(all.uniq { |summary| summary.load.name }), *behind, Notes.void(@recordings.flat_map(&:results))]
        .flat_map { |note| ["", note] }.drop(1)
    end

    def throughput
      rows = rows(*COUNTED) do |summary|
        [spread(summary, summary.door, :jobs_per_second, "%<n>d"), spread(summary, :sidekiq, :jobs_per_second, "%<n>d"),
         ratio(summary)]
      end
      table("jobs/s", %w[Footplate Sidekiq ×], rows)
    end

    def latency
      rows = rows(:latency, :scheduled) do |summary|
        [summary.door, :sidekiq].map { |engine| %i[p50 p99 p999].filter_map { part(summary, engine, _1) }.join(" / ") }
      end
      table("ms from push to perform: p50 / p99 / p99.9", %w[Footplate Sidekiq], rows)
    end

    def ratio(summary)
      range = summary.range(:ratio) or return ""
      format("%<median>.1f (%<low>.1f to %<high>.1f)", range.to_h)
    end

    def targets
      rows = TARGETS.map do |target|
        title = LOADS.find { |load| load.name == target.load }.title
        [title, target.words, *@recordings.map { |it| Verdict.of(@summaries[it][target.load], target).cell }]
      end
      later = LATER.map { |title, target| [title, target, *@recordings.map { "needs several processes" }] }
      Table.lines(["load", "target", *@recordings.map { |it| name(it) }], rows + later)
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
      found || summary.void.any? ? Table.with_spread(found, pattern) : ""
    end

    def part(summary, engine, name)
      summary.spread(engine, name)&.then { |it| Table.number(it.median, "%<n>.2f") }
    end
  end
end
