# frozen_string_literal: true

require_relative "../../benches/side_by_side/main"

RSpec.describe "the figures in" do
  root = File.expand_path("../..", __dir__)

  let(:recordings) do
    paths = %w[debian12 debian13 testing].map { |name| File.join(root, "benches/results/#{name}.json") }
    paths.select { |path| File.exist?(path) }.map { |path| SideBySide::Recording.read(path) }
  end

  def written(path)
    File.read(path)[/^<!-- rake bench:readme writes from here -->\n\n(.*)\n\n<!-- to here -->/m, 1]
  end

  it "docs/benchmarks.md are those of the recordings beside the benchmark" do
    lines = written(File.join(root, "docs/benchmarks.md")).lines(chomp: true)
    pictures, tables = lines.partition { |line| line.start_with?("![") }
    expect(tables).to eq([*SideBySide::Comparison.new(recordings).lines, ""])
    paths = pictures.map { |line| File.join(root, "docs", line[/\((.*)\)/, 1]) }
    expect(paths).not_to be_empty
    expect(paths.reject { |path| File.exist?(path) }).to be_empty
  end

  it "README are three of those, and the rest is where its link leads" do
    readme = File.read(File.join(root, "README.md"))
    lines = written(File.join(root, "README.md")).lines(chomp: true)
    expect(lines).to eq(SideBySide::Headlines.new(recordings).lines)
    expect(lines.size).to eq(5)
    expect(readme).to include("(docs/benchmarks.md)")
  end
end
