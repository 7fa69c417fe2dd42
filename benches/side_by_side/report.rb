# frozen_string_literal: true

require_relative "curve_table"
require_relative "surroundings"
require_relative "tables"

module SideBySide
  ##
  # The tables at the end, in Markdown.
  class Report
    WORDS = { ratio: "x Sidekiq", of_limit: "of the bare loop", jobs_per_second: "jobs/s",
              memory: "of Sidekiq's memory", p50: "of Sidekiq's p50", p99: "of Sidekiq's p99",
              of_undelayed: "of the figure without delay", redis_cpu: "µs of Redis per job",
              redis_commands: "Redis commands per job", lateness: "ms late at p99",
              all_done: "s for all", noops_done: "s for the no-ops", commands: "Redis commands/s",
              cpu_percent: "% CPU" }.freeze
    MEDIANS = "Medians; ± is half of the range over the runs. Ratios are medians over the pairs of runs. Startup is " \
              "not in any of them."
    NOTES = {
      burst: "Redis commands per job include those that scripts call.",
      latency: "Latency is from the moment at which a job ought to be pushed, by a timetable that waits for nobody.",
      scheduled: "Lateness is from the moment at which a job is due to its start.",
      idle: "An idle process's Redis commands are those that it sends, without those that scripts call."
    }.freeze

    attr_reader :summaries

    def initialize(options, results, surroundings)
      @options = options
      @results = results
      @surroundings = surroundings
      @summaries = options.loads.map { |load| Summary.new(load, results.select { |it| it.load == load.name }) }
    end

    def print(out)
      out.puts Surroundings.lines(@surroundings), ""
      tables = Tables.all(@summaries) + CURVES.map { |curve| CurveTable.lines(curve, @summaries) }
      tables.reject(&:empty?).each { |table| out.puts table, "" }
      out.puts targets, "" if verdicts.any?
      out.puts MEDIANS, notes, behind
      void = @results.select(&:void)
      out.puts "#{void.size} of #{@results.size} runs are void and not in these figures." if void.any?
    end

    # For the JSON file.
    def judged_targets
      verdicts.map { |target, value, reached| { **target.to_h, measured: value, reached: reached } }
    end

    private

    def targets
      rows = verdicts.map do |target, value, reached|
        title = @options.loads.find { |load| load.name == target.load }.title
        [title, "#{target.sense} #{target.value} #{WORDS[target.figure]}", Table.number(value, "%<n>.2f"),
         (value ? { true => "reached", false => "not reached" }[reached] : "not measured")]
      end
      later = LATER.map { |title, target| [title, target, "", "comes with -p"] }
      Table.lines(["load", "target", "measured", ""], rows + (@options.whole? ? later : []))
    end

    def verdicts
      @summaries.flat_map do |summary|
        summary.targets.map do |target|
          value = summary.figure(target.figure)
          [target, value, target.reached?(value)]
        end
      end
    end

    def notes
      NOTES.values_at(*@summaries.map { |summary| summary.load.shape }.uniq).compact
    end

    # An engine that cannot keep up with a rate has no latency of its own there.
    def behind
      Tables.of(@summaries, :latency).flat_map do |summary|
        late = summary.engines.select { |it| summary.spread(it, :backlog)&.median.to_f > summary.load.rate / 5.0 }
        late.map do |engine|
          "#{Engines::TITLES[engine]} does not keep up with \"#{summary.load.title}\": what its row shows is the " \
            "queue that grew."
        end
      end
    end
  end
end
