# frozen_string_literal: true

require_relative "summary"
require_relative "table"

module SideBySide
  ##
  # What a comparison of recordings shows besides speed: the other front door, what a job costs, an idle process.
  class Details
    MEGABYTE = 1_024.0
    COSTS = [["Redis CPU, µs", :redis_cpu, 1e6, "%<n>.1f"], ["Redis commands", :redis_commands, 1, "%<n>.2f"],
             ["worker CPU, µs", :worker_cpu, 1e6, "%<n>.1f"], ["objects", :objects, 1, "%<n>.0f"],
             ["context switches", :switches, 1, "%<n>.2f"]].freeze
    # Of loads that are not counted in jobs/s.
    OTHERS = [["mixed", "until all are done, s", :all_done, 1, "%<n>.1f"],
              ["mixed", "until the no-ops are done, s", :noops_done, 1, "%<n>.1f"],
              ["idle", "Redis commands/s", :commands, 1, "%<n>.1f"], ["idle", "CPU, %", :cpu_percent, 1, "%<n>.2f"],
              ["idle", "memory, MB", :resident, 1 / MEGABYTE, "%<n>.0f"],
              ["idle", "from its start to its first job, s", :startup, 1, "%<n>.2f"]].freeze

    # @param systems [Hash{String => Hash{String => Summary}}] by the recording's name, by the load's
    def initialize(systems)
      @systems = systems
    end

    # @return [Array<Array<String>>] lines of each, or none
    def tables
      [doors, others, *@systems.map { |name, summaries| costs(name, summaries) }]
    end

    private

    def doors
      systems = @systems.select { |_, summaries| summaries.values.any? { |it| it.engines.include?(:embedded) } }
      rows = titled(systems, loads(systems, :burst)) do |summary|
        %i[gem embedded].map { |door| rate(summary, door) }
      end
      table(["jobs/s by front door", *systems.keys.flat_map { |it| ["#{it}: gem", "#{it}: embedded"] }], rows)
    end

    def others
      rows = OTHERS.filter_map do |load, words, figure, factor, pattern|
        cells = @systems.values.flat_map do |summaries|
          engines(summaries[load]).map { |engine| shown(summaries[load]&.spread(engine, figure), factor, pattern) }
        end
        ["#{title(load)}: #{words}", *cells] if cells.any? { |it| !it.empty? }
      end
      table(["", *@systems.keys.flat_map { |it| ["#{it}: Footplate", "#{it}: Sidekiq"] }], rows)
    end

    def costs(name, summaries)
      rows = loads({ name => summaries }, *COUNTED).map do |load|
        summary = summaries.fetch(load)
        per_job = COSTS.map { |_, figure, *rest| pair(summary) { |it| shown(summary.per_job(it, figure), *rest) } }
        memory = pair(summary) { |it| shown(summary.spread(it, :resident), 1 / MEGABYTE, "%<n>.0f") }
        [title(load), *per_job, memory]
      end
      table(["#{name}: a job's costs, Footplate's / Sidekiq's", *COSTS.map(&:first), "memory, MB"], rows)
    end

    def pair(summary, &block)
      engines(summary).map(&block).join(" / ")
    end

    def engines(summary)
      [summary&.door, :sidekiq]
    end

    def loads(systems, *shapes)
      loads = LOADS.select { |load| shapes.include?(load.shape) }.map(&:name)
      loads.select { |load| systems.values.any? { |summaries| summaries.key?(load) } }
    end

    def titled(systems, loads)
      loads.map do |load|
        [title(load), *systems.values.flat_map { |it| it[load] ? yield(it[load]) : ["", ""] }]
      end
    end

    def title(load)
      LOADS.find { |it| it.name == load }.title
    end

    def rate(summary, door)
      spread = summary.spread(door, :jobs_per_second)
      spread ? Table.with_spread(spread, "%<n>d") : ""
    end

    def shown(spread, factor, pattern)
      Table.number(spread&.then { |it| it.median * factor }, pattern)
    end

    def table(head, rows)
      rows.any? ? Table.lines(head, rows) : []
    end
  end
end
