# frozen_string_literal: true

require_relative "loads"
require_relative "shared"
require_relative "targets"

module SideBySide
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

    # @return [Bench::Spread, nil] of :jobs_per_second, :p50, :resident …
    def spread(engine, figure)
      Bench::Spread.of(figures(engine).filter_map { |figures| figures[figure] })
    end

    def per_job(engine, figure, factor = 1)
      Bench::Spread.of(figures(engine).filter_map { |figures| figures.dig(:per_job, figure)&.*(factor) })
    end

    def engines
      @results.map(&:engine).uniq - %i[bare undelayed]
    end

    def void
      @results.select(&:void)
    end

    # The figures that targets speak of: ratios to Sidekiq (:ratio, of jobs/s; :memory; :p50; :p99), to the limit, to
    # itself without delay, over the pairs of runs; or one of its own, over the runs.
    # @return [Bench::Spread, nil]
    def range(name, engine = door)
      case name
      when :ratio then ratio(engine, :sidekiq, :jobs_per_second)
      when :of_limit then ratio(engine, :bare, :jobs_per_second)
      when :of_undelayed then ratio(engine, :undelayed, :jobs_per_second)
      when :memory then ratio(engine, :sidekiq, :resident)
      when :p50, :p99 then ratio(engine, :sidekiq, name)
      when :lateness then spread(engine, :p99)
      when :redis_cpu then per_job(engine, name, 1e6)
      when :redis_commands then per_job(engine, name)
      else spread(engine, name)
      end
    end

    # The median of the same.
    def figure(name, engine = door)
      range(name, engine)&.median
    end

    # For the JSON file.
    def judged_targets
      targets.map do |target|
        value = figure(target.figure)
        { **target.to_h, measured: value, reached: target.reached?(value) }
      end
    end

    def targets
      TARGETS.select { |target| target.load == load.name }
    end

    private

    def figures(engine)
      @results.select { |result| result.engine == engine }.filter_map(&:figures)
    end

    def ratio(engine, other, figure)
      Bench::Spread.of_ratios(by_pair(engine, figure), by_pair(other, figure))
    end

    def by_pair(engine, figure)
      runs = @results.select { |result| result.engine == engine && result.figures }
      runs.to_h { |result| [result.pair, result.figures[figure]] }.compact
    end
  end
end
