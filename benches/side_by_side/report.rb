# frozen_string_literal: true

require "json"
require_relative "engines"
require_relative "summary"

module SideBySide
  ##
  # The tables at the end, in Markdown, and the JSON file.
  class Report
    WORDS = { ratio: "x Sidekiq", of_limit: "of the limit", jobs_per_second: "jobs/s", memory: "of Sidekiq's memory",
              p50: "of Sidekiq's p50", p99: "of Sidekiq's p99" }.freeze

    def initialize(options, results, surroundings)
      @options = options
      @results = results
      @surroundings = surroundings
      @summaries = options.loads.map { |load| Summary.new(load, results.select { |it| it.load == load.name }) }
    end

    def print(out)
      out.puts @surroundings.lines, ""
      out.puts throughput, "" if throughput.size > 2
      out.puts latency, "" if latency.size > 2
      out.puts targets, ""
      out.puts "Medians; ± is half of the range over the runs. Startup is not in them."
      void = @results.select(&:void)
      out.puts "#{void.size} of #{@results.size} runs are void and not in these figures." if void.any?
    end

    def write(path)
      runs = @results.map { |it| it.to_h.compact }
      targets = verdicts.map { |target, value, reached| { **target.to_h, measured: value, reached: reached } }
      content = { surroundings: @surroundings.to_h, options: { pairs: @options.pairs }, runs: runs, targets: targets }
      File.write(path, "#{JSON.pretty_generate(content)}\n")
    end

    private

    def throughput
      head = ["load", "engine", "jobs/s", "x Sidekiq", "of limit", "worker CPU/job", "objects/job", "Redis CPU/job",
              "commands/job", "memory", "runs"]
      rows = @summaries.reject { |it| it.load.latency? }.flat_map do |summary|
        summary.engines.map { |engine| throughput_row(summary, engine) } + limit_row(summary)
      end
      table(head, rows)
    end

    def throughput_row(summary, engine)
      rate = summary.spread(engine, :jobs_per_second) or return void_row(summary, engine)
      cost = ->(name) { summary.per_job(engine, name).median }
      [summary.load.title, Engines::TITLES[engine], with_spread(rate, "%<n>d"),
       (engine == :sidekiq ? "" : number(summary.figure(:ratio, engine), "%<n>.1f")),
       number(summary.figure(:of_limit, engine), "%<n>.2f"), *costs(cost),
       number(summary.spread(engine, :resident).median / 1_024.0, "%<n>d MB"), rate.runs.to_s]
    end

    def costs(cost)
      [number(cost[:worker_cpu] * 1e6, "%<n>.1f µs"), number(cost[:objects], "%<n>.1f"),
       number(cost[:redis_cpu] * 1e6, "%<n>.1f µs"), number(cost[:redis_commands], "%<n>.3f")]
    end

    def limit_row(summary)
      spread = summary.spread(:bare, :jobs_per_second) or return []
      [[summary.load.title, "bare loop", with_spread(spread, "%<n>d"), "", "", "", "", "", "", "", spread.runs.to_s]]
    end

    def void_row(summary, engine)
      [summary.load.title, Engines::TITLES[engine], "void", "", "", "", "", "", "", "0"]
    end

    def latency
      rows = @summaries.select { |it| it.load.latency? }.flat_map do |summary|
        summary.engines.map do |engine|
          values = %i[p50 p99 max].map { |name| with_spread(summary.spread(engine, name), "%<n>.2f") }
          ratios = %i[p50 p99].map { |name| engine == :sidekiq ? "" : number(summary.figure(name, engine), "%<n>.2f") }
          [summary.load.title, Engines::TITLES[engine], *values, *ratios]
        end
      end
      table(["load", "engine", "p50 ms", "p99 ms", "max ms", "p50 / Sidekiq's", "p99 / Sidekiq's"], rows)
    end

    def targets
      rows = verdicts.map do |target, value, reached|
        title = @options.loads.find { |load| load.name == target.load }.title
        [title, "#{target.sense} #{target.value} #{WORDS[target.figure]}", number(value, "%<n>.2f"),
         (value ? { true => "reached", false => "not reached" }[reached] : "not measured")]
      end
      table(["load", "target", "measured", ""], rows)
    end

    def verdicts
      @summaries.flat_map do |summary|
        summary.targets.map do |target|
          value = summary.figure(target.figure)
          [target, value, target.reached?(value)]
        end
      end
    end

    def with_spread(spread, pattern)
      return "void" unless spread

      "#{number(spread.median, pattern)} ± #{(spread.share * 100).round} %"
    end

    def number(value, pattern)
      value ? format(pattern, n: value).sub(/\d{4,}/) { |digits| digits.gsub(/(\d)(?=(\d{3})+\z)/, "\\1,") } : ""
    end

    def table(head, rows)
      widths = [head, *rows].transpose.map { |column| column.map(&:size).max }
      line = ->(cells) { "| #{cells.zip(widths).map { |cell, width| cell.ljust(width) }.join(" | ")} |" }
      [line.call(head), "|#{widths.map { |width| "-" * (width + 2) }.join("|")}|", *rows.map { |row| line.call(row) }]
    end
  end
end
