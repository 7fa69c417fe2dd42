# frozen_string_literal: true

require "English"

# README's figures and their charts, from what `bin/bench --json` wrote to benches/results.
module Figures
  RESULTS = %w[debian12 debian13 testing].map { |name| "benches/results/#{name}.json" }.freeze
  BEGINNING = "<!-- rake bench:readme writes from here -->\n"
  ENDING = "<!-- to here -->\n"

  module_function

  def recordings
    RESULTS.select { |path| File.exist?(path) }
  end

  def write
    recordings.each do |path|
      system("bin/bench", "--from", path, "--charts", path.delete_suffix(".json"), out: File::NULL, exception: true)
    end
    tables = IO.popen(["bin/bench", "--compare", recordings.join(",")], &:read)
    abort "bin/bench --compare failed" unless $CHILD_STATUS.success?
    before, rest = File.read("README.md").split(BEGINNING)
    File.write("README.md", [before, BEGINNING, "\n", tables, "\n", pictures, ENDING, rest.split(ENDING).last].join)
  end

  def pictures
    recordings.flat_map { |path| Dir["#{path.delete_suffix(".json")}/{ratios,latency,curve-*}.svg"] }
              .map { |path| "![#{File.basename(path, ".svg")}, #{path.split("/")[-2]}](#{path})\n" }.join
  end
end

namespace :bench do
  desc "Write README's figures and draw their charts, from #{Figures::RESULTS.join(", ")}"
  task(:readme) { Figures.write }
end
