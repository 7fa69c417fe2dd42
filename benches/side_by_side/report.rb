# frozen_string_literal: true

require_relative "curve_table"
require_relative "notes"
require_relative "surroundings"
require_relative "tables"
require_relative "verdict"

module SideBySide
  ##
  # The tables at the end, in Markdown.
  class Report
    # @param recording [Recording]
    def initialize(recording)
      @recording = recording
      @summaries = recording.summaries
    end

    def print(out)
      @recording.parts.each { |part| out.puts Surroundings.lines(part.surroundings), "" }
      tables = Tables.all(@summaries) + CURVES.map { |curve| CurveTable.lines(curve, @summaries) }
      tables.reject(&:empty?).each { |table| out.puts table, "" }
      out.puts targets, "" if @summaries.any? { |summary| summary.targets.any? }
      out.puts Notes.of(@summaries), Notes.behind(@summaries), Notes.void(@recording.results)
    end

    private

    def targets
      rows = @summaries.flat_map do |summary|
        summary.targets.map { |target| [summary.load.title, target.words, *Verdict.of(summary, target).cells] }
      end
      later = LATER.map { |title, target| [title, target, "", "comes with -p"] }
      Table.lines(["load", "target", "measured", ""], rows + (@recording.whole? ? later : []))
    end
  end
end
