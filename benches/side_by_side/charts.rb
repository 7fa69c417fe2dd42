# frozen_string_literal: true

require "fileutils"
require_relative "bar_chart"
require_relative "curves"
require_relative "line_chart"
require_relative "range_chart"
require_relative "surroundings"
require_relative "tables"

module SideBySide
  ##
  # The charts that can be drawn from what was measured, as files.
  class Charts
    UPWARDS = { jobs_per_second: "jobs/s", p99: "ms late at p99" }.freeze

    # Before anything is measured for them.
    # @raise [Error]
    def self.make_folder(dir)
      FileUtils.mkdir_p(dir)
    rescue SystemCallError => e
      raise Error, "cannot make the folder of --charts: #{e.message}"
    end

    # @param recording [Recording]
    def initialize(recording)
      @recording = recording
      @summaries = recording.summaries
    end

    # @param dir [String] that exists
    # @return [Array<String>] the files
    def write(dir)
      charts = { "ratios" => ratios, "latency" => latency, **curves }.compact
      charts.map { |name, chart| File.join(dir, "#{name}.svg").tap { |path| File.write(path, chart) } }
    end

    private

    def ratios
      measured = loads(:burst).select { |summary| summary.figure(:ratio) }
      return if measured.empty?

      rows = measured.map do |summary|
        target = summary.targets.find { |it| it.figure == :ratio }
        BarChart::Row.new(title: summary.load.title, value: summary.figure(:ratio), target: target&.value)
      end
      BarChart.new("Jobs per second: times Sidekiq's", "One worker process each. Dashed: what is aimed at.",
                   footer(measured), rows)
    end

    def latency
      measured = loads(:latency, :scheduled)
      rows = measured.to_h do |summary|
        ranges = summary.engines.to_h { |engine| [engine, %i[p50 p99].map { summary.spread(engine, _1)&.median }] }
        [summary.load.title, ranges.select { |_, range| range.all? }]
      end
      rows.reject! { |_, ranges| ranges.empty? }
      return if rows.empty?

      RangeChart.new("From the intended push to perform",
                     "Dot: p50, ring: p99. Each line further right is ten times as long.", "ms", footer(measured), rows)
    end

    def curves
      CURVES.to_h do |curve|
        points = @summaries.select { |summary| summary.load.curve == curve.name }
        series = points.flat_map(&:engines).uniq.to_h { |engine| [engine, places(points, engine, curve.figure)] }
        series.reject! { |_, spreads| spreads.empty? }
        next ["curve-#{curve.name}", nil] if series.empty?

        title = curve.title[0].upcase + curve.title[1..]
        chart = LineChart.new(title, curve.axis, UPWARDS.fetch(curve.figure), footer(points), series, tens: curve.tens)
        ["curve-#{curve.name}", chart]
      end
    end

    def places(points, engine, figure)
      points.to_h { |point| [point.load.at, point.spread(engine, figure)] }.compact
    end

    # What was measured where and when.
    def footer(summaries)
      Surroundings.footer(@recording.parts_of(summaries.map { |summary| summary.load.name }).map(&:surroundings))
    end

    def loads(*shapes)
      Tables.of(@summaries.reject { |summary| summary.load.curve }, *shapes)
    end
  end
end
