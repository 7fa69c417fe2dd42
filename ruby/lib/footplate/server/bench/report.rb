# frozen_string_literal: true

require "json"
require "footplate/bench"
require "footplate/server/bench/contender"

module Footplate
  module Server
    class Bench
      ##
      # The figures, for people and for programs. Medians over the runs that count.
      class Report
        ROWS = { jobs_per_second: ["no-op jobs/s", "%<n>d"], p50: ["push to perform, p50", "%<n>.2f ms"],
                 p99: ["push to perform, p99", "%<n>.2f ms"],
                 redis_cpu: ["Redis CPU per job", "%<n>.1f us"] }.freeze

        # @param results [Bench::Results]
        # @param sidekiq [String, nil] version
        def initialize(plan, results, server:, place:, sidekiq:)
          @plan = plan
          @results = results
          @server = server
          @place = place
          @versions = { footplate: VERSION, sidekiq: sidekiq }.compact
        end

        # @return [Array<String>]
        def lines
          head = ["", *@versions.map { |engine, version| "#{Contender::TITLES.fetch(engine)} #{version}" }]
          head << "ratio" if ratio?
          [*surroundings, "", *table([head, *ROWS.map { |name, (title, form)| row(name, title, form) }]), "", delivery]
        end

        def to_json(*)
          JSON.pretty_generate(
            ruby: RUBY_DESCRIPTION, redis: { server: @server, place: @place, round_trip_ms: round_trip },
            bare_loop_jobs_per_second: @results.bare_loop.round, jobs: @plan.jobs, pairs: @plan.pairs,
            versions: @versions, medians: @versions.keys.to_h { |engine| [engine, medians(engine)] },
            ratios: ROWS.keys.to_h { |name| [name, ratio(name)] }.compact, runs: @results.trials.map(&:to_h)
          )
        end

        private

        def surroundings
          times = round_trip.map { |name, ms| format("%<name>s %<ms>.2f ms", name: name, ms: ms) }
          ["#{@server} at #{@place}", "round trip from here: #{times.join(", ")}", RUBY_DESCRIPTION,
           "the bare loop on this machine: #{@results.bare_loop.round} jobs/s (no Redis, no threads)"]
        end

        def round_trip
          Footplate::Bench.percentiles(@results.round_trips).slice(:p50, :p99).transform_values { |ms| ms.round(3) }
        end

        def row(name, title, form)
          cells = @versions.keys.map { |engine| cell(medians(engine)[name], form) }
          [title, *cells, *(cell(ratio(name), "%<n>.2f") if ratio?)]
        end

        def cell(number, form)
          number ? format(form, n: number) : "void"
        end

        # @return [Hash{Integer => Numeric}] by pair, of the runs that count
        def counted(engine, name)
          trials = @results.trials.select { |it| it.engine == engine && it.void.nil? }
          trials.to_h { |it| [it.pair, it.public_send(name)] }
        end

        def medians(engine)
          ROWS.keys.to_h { |name| [name, Footplate::Bench::Spread.of(counted(engine, name).values)&.median] }
        end

        def ratio?
          @versions.size > 1
        end

        def ratio(name)
          Footplate::Bench::Spread.of_ratios(counted(:footplate, name), counted(:sidekiq, name))&.median
        end

        def table(rows)
          widths = rows.transpose.map { |column| column.map(&:size).max }
          rows.map do |first, *rest|
            [first.ljust(widths[0]), *rest.each_with_index.map { |it, at| it.rjust(widths[at + 1]) }].join("   ").rstrip
          end
        end

        def delivery
          void = @results.trials.select(&:void)
          return "Every job ran exactly once, in all #{@results.trials.size} runs." if void.empty?

          said = void.map { |it| "#{Contender::TITLES.fetch(it.engine)}, run #{it.pair + 1}: #{it.void}" }
          "VOID: #{said.join("; ")}"
        end
      end
    end
  end
end
