# frozen_string_literal: true

require_relative "loads"

module SideBySide
  # The middle of several runs, and how far they were apart.
  Spread = Struct.new(:median, :low, :high, :runs, keyword_init: true) do
    def self.of(values)
      return if values.empty?

      sorted = values.sort
      middle = sorted.size / 2
      median = sorted.size.odd? ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2.0
      new(median: median, low: sorted.first, high: sorted.last, runs: sorted.size)
    end

    # Half of the range, as a share of the median.
    def share
      (high - low) / 2.0 / median
    end
  end

  ##
  # What all runs of one load come to.
  class Summary
    attr_reader :load

    # @param results [Array<Session::Result>] of this load
    def initialize(load, results)
      @load = load
      @results = results
      @door = results.map(&:engine).find { |engine| engine != :sidekiq }
    end

    # The front door that is compared with Sidekiq.
    attr_reader :door

    # @return [Spread, nil] of :jobs_per_second, :p50, :resident …
    def spread(engine, figure)
      Spread.of(figures(engine).filter_map { |figures| figures[figure] })
    end

    def per_job(engine, figure)
      Spread.of(figures(engine).filter_map { |figures| figures.dig(:per_job, figure) })
    end

    def engines
      @results.map(&:engine).uniq - [:bare]
    end

    def void
      @results.select(&:void)
    end

    # The figures that targets speak of.
    def figure(name, engine = door)
      case name
      when :ratio then ratio(engine, :jobs_per_second)
      when :of_limit then of_limit(engine)
      when :jobs_per_second then spread(engine, :jobs_per_second)&.median
      when :memory then ratio(engine, :resident)
      when :p50, :p99 then ratio(engine, name)
      end
    end

    def limit
      load.limit || spread(:bare, :jobs_per_second)&.median
    end

    def targets
      TARGETS.select { |target| target.load == load.name }
    end

    private

    def figures(engine)
      @results.select { |result| result.engine == engine }.filter_map(&:figures)
    end

    def ratio(engine, figure)
      ours = spread(engine, figure)
      theirs = spread(:sidekiq, figure)
      ours && theirs && ours.median.fdiv(theirs.median)
    end

    def of_limit(engine)
      ours = spread(engine, :jobs_per_second)
      ours && limit && ours.median.fdiv(limit)
    end
  end
end
