# frozen_string_literal: true

require_relative "recording"
require_relative "table"

module SideBySide
  ##
  # Where, when and on what the figures of recordings were measured: a row per session.
  module Provenance
    HEAD = ["system", "loads", "measured", "commit", "Ruby", "Sidekiq", "Active Job", "json", "Redis", "machine",
            "load average before", "pairs"].freeze

    module_function

    # @param recordings [Array<Recording>]
    # @return [Array<String>]
    def lines(recordings)
      rows = recordings.flat_map do |recording|
        recording.parts.filter_map do |part|
          loads = recording.loads_of(part)
          [recording.system, among(loads, recording), *facts(part.surroundings), pairs(part, loads)] if loads.any?
        end
      end
      Table.lines(HEAD, rows.map { |row| row.map(&:to_s) })
    end

    def facts(facts)
      [facts[:date], facts[:commit], facts[:ruby][/\Aruby (\S+)/, 1],
       *facts.values_at(:sidekiq, :activejob, :json, :redis), "#{facts[:cpu]}, #{facts[:cores]} cores",
       facts[:load_average].first]
    end

    # Their names, in short.
    def among(loads, recording)
      return "all" if loads.size == recording.loads.size

      curves, plain = loads.partition { |name| name.include?(":") }
      [*plain, *("curves" if curves.any?)].join(", ")
    end

    # The fewest that a load has.
    def pairs(part, loads)
      by_load = part.results.group_by(&:load).slice(*loads)
      by_load.values.map { |results| results.map(&:pair).max + 1 }.min
    end
  end
end
