# frozen_string_literal: true

require_relative "recording"
require_relative "table"

module SideBySide
  ##
  # Three figures of each recording, in Markdown, for whoever reads no further: README's.
  class Headlines
    # Of loads that say the same, the first that anybody measured.
    THROUGHPUT = [%w[noop], %w[activejob-info activejob]].freeze
    LATENCY = "latency100"

    # @param recordings [Array<Recording>]
    def initialize(recordings)
      @recordings = recordings
      @summaries = recordings.map { |it| it.summaries.to_h { |summary| [summary.load.name, summary] } }
    end

    # @return [Array<String>] lines
    def lines
      rows = THROUGHPUT.filter_map { |names| throughput(names) } + [latency].compact
      Table.lines(["", *@recordings.map { |it| "#{it.system}, Sidekiq #{it.parts.last.surroundings[:sidekiq]}" }], rows)
    end

    private

    def throughput(names)
      row(names, "jobs/s") do |summary|
        ratio = summary.figure(:ratio)
        "#{Table.number(ratio, "%<n>.1f")} × Sidekiq's" if ratio
      end
    end

    def latency
      row([LATENCY], "p99") do |summary|
        ours, theirs = [summary.door, :sidekiq].map { |engine| summary.spread(engine, :p99)&.median }
        format("%<ours>.2f ms, Sidekiq's %<theirs>.2f ms", ours: ours, theirs: theirs) if ours && theirs
      end
    end

    # @return [Array<String>, nil] nil where nobody measured any of these
    def row(names, unit)
      name = names.find { |it| @summaries.any? { |summaries| summaries.key?(it) } } or return
      title = LOADS.find { |load| load.name == name }.title
      ["#{title}: #{unit}", *@summaries.map { |it| (it[name] && yield(it[name])) || "not measured" }]
    end
  end
end
