# frozen_string_literal: true

# The figures of docs/benchmarks.md and README, and their charts, from what `bin/bench --json` wrote to benches/results.
module Figures
  RESULTS = %w[debian12 debian13 testing].map { |name| "benches/results/#{name}.json" }.freeze
  BEGINNING = "<!-- rake bench:readme writes from here -->\n"
  ENDING = "<!-- to here -->\n"

  module_function

  def write
    require_relative "../benches/side_by_side/main"
    recordings = RESULTS.select { |path| File.exist?(path) }.to_h { |path| [path, SideBySide::Recording.read(path)] }
    insert("README.md", SideBySide::Headlines.new(recordings.values).lines)
    insert("docs/benchmarks.md", [*SideBySide::Comparison.new(recordings.values).lines, "", *pictures(recordings)])
  end

  # Between the marks.
  def insert(path, lines)
    before, rest = File.read(path).split(BEGINNING)
    File.write(path, [before, BEGINNING, "\n", lines.join("\n"), "\n\n", ENDING, rest.split(ENDING, 2).last].join)
  end

  # Drawn anew: those of curves that are no longer measured go.
  def pictures(recordings)
    recordings.flat_map do |path, recording|
      dir = path.delete_suffix(".json")
      FileUtils.rm_rf(dir)
      SideBySide::Charts.make_folder(dir)
      SideBySide::Charts.new(recording).write(dir).map do |picture|
        "![#{File.basename(picture, ".svg")}, #{File.basename(dir)}](../#{picture})"
      end
    end
  end
end

namespace :bench do
  desc "Write the figures of docs/benchmarks.md and README, and draw the charts, from #{Figures::RESULTS.join(", ")}"
  task(:readme) { Figures.write }
end
