# frozen_string_literal: true

require "open3"
require "rbconfig"

RSpec.describe "README's figures" do
  root = File.expand_path("../..", __dir__)

  it "are those of the recordings beside the benchmark" do
    recordings = %w[debian12 debian13 testing].map { |name| File.join(root, "benches/results/#{name}.json") }
    paths = recordings.select { |path| File.exist?(path) }
    tables, status = Open3.capture2(RbConfig.ruby, File.join(root, "bin/bench"), "--compare", paths.join(","))
    expect(status).to be_success
    readme = File.read(File.join(root, "README.md"))
    written = readme[/^<!-- rake bench:readme writes from here -->\n\n(.*)<!-- to here -->/m, 1]
    pictures = written.scan(/^!\[.*\]\((.*)\)\n/).flatten
    expect(written.gsub(/^!\[.*\n/, "")).to eq("#{tables}\n")
    expect(pictures).not_to be_empty
    expect(pictures.reject { |path| File.exist?(File.join(root, path)) }).to be_empty
  end
end
