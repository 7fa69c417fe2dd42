# frozen_string_literal: true

require_relative "curves"
require_relative "table"

module SideBySide
  ##
  # A table per curve: a column per point, and how far the points are apart.
  module CurveTable
    UNITS = { jobs_per_second: ["jobs/s", "%<n>d"], p99: ["ms at p99", "%<n>.1f"] }.freeze

    # @return [Array<String>] lines, or none if nothing of the curve was measured
    def self.lines(curve, summaries)
      points = summaries.select { |summary| summary.load.curve == curve.name }
      return [] if points.empty?

      head = ["#{curve.axis} (#{UNITS.fetch(curve.figure).first})",
              *points.map { |point| SideBySide.digits(point.load.at) }, "lowest / highest"]
      rows = points.flat_map(&:engines).uniq.flat_map { |engine| rows(curve, points, engine) }
      notes = [*even(curve, points), *curve.note]
      [*Table.lines(head, rows), *("" if notes.any?), *notes]
    end

    def self.rows(curve, points, engine)
      title = Engines::TITLES.fetch(engine)
      cells = points.map { |point| cell(point, engine, curve.figure, UNITS.fetch(curve.figure).last) }
      figures = [title, *cells, (apart(points, engine, curve.figure) unless curve.tens).to_s]
      curve.redis ? [figures, ["#{title}: Redis CPU per job", *points.map { |it| redis(it, engine) }, ""]] : [figures]
    end

    def self.redis(point, engine)
      Table.number(point.per_job(engine, :redis_cpu)&.then { |spread| spread.median * 1e6 }, "%<n>.2f µs")
    end

    def self.even(curve, points)
      return unless curve.even

      some = points.select { |point| curve.even.include?(point.load.at) }
      share = share(some, points.first.door, curve.figure) or return
      "Lowest / highest of Footplate's at #{curve.even.join(", ")}: #{Table.number(share, "%<n>.2f")} " \
        "(target: >= 0.9, #{share >= 0.9 ? "reached" : "not reached"})."
    end

    def self.cell(point, engine, figure, pattern)
      point.engines.include?(engine) ? Table.with_spread(point.spread(engine, figure), pattern) : ""
    end

    def self.apart(points, engine, figure)
      Table.number(share(points, engine, figure), "%<n>.2f")
    end

    def self.share(points, engine, figure)
      medians = points.filter_map { |point| point.spread(engine, figure)&.median }
      medians.min&.fdiv(medians.max)
    end
    private_class_method :rows, :redis, :even, :cell, :apart, :share
  end
end
