# frozen_string_literal: true

module SideBySide
  ##
  # What is to be reached: information, not a verdict.
  #
  # load::   its name
  # figure:: see Summary#figure
  Target = Struct.new(:load, :figure, :sense, :value) do
    # As a reader says it.
    def words
      "#{sense} #{SideBySide.digits(value)} #{WORDS.fetch(figure)}"
    end

    def reached?(measured)
      measured&.public_send(sense, value)
    end
  end

  WORDS = { ratio: "x Sidekiq", of_limit: "of the bare loop", jobs_per_second: "jobs/s",
            memory: "of Sidekiq's memory", p50: "of Sidekiq's p50", p99: "of Sidekiq's p99",
            of_undelayed: "of the figure without delay", redis_cpu: "µs of Redis per job",
            redis_commands: "Redis commands per job", lateness: "ms late at p99",
            all_done: "s for all", noops_done: "s for the no-ops", commands: "Redis commands/s",
            cpu_percent: "% CPU" }.freeze

  TARGETS = [
    Target.new("noop", :ratio, :>=, 20), Target.new("noop", :of_limit, :>=, 1.2), Target.new("noop", :memory, :<, 1),
    Target.new("noop", :redis_cpu, :<=, 3), Target.new("noop", :redis_commands, :<=, 0.05),
    Target.new("logging", :ratio, :>=, 35),
    Target.new("middleware", :ratio, :>=, 12),
    Target.new("activejob", :ratio, :>=, 4.5), Target.new("activejob", :of_limit, :>=, 0.85),
    Target.new("activejob-info", :ratio, :>=, 2.5), Target.new("activejob-info", :of_limit, :>=, 0.88),
    Target.new("raising", :ratio, :>=, 10),
    Target.new("sleep", :jobs_per_second, :>=, 19_500), Target.new("sleep", :memory, :<, 1),
    Target.new("cpu", :of_limit, :>=, 0.97),
    Target.new("noop+1ms", :of_undelayed, :>=, 0.95),
    *%w[latency10 latency100 latency10+1ms latency100+1ms].flat_map do |load|
      [Target.new(load, :p50, :<, 1), Target.new(load, :p99, :<, 1)]
    end,
    Target.new("scheduled", :lateness, :<=, 50),
    Target.new("mixed", :all_done, :<=, 20.5), Target.new("mixed", :noops_done, :<=, 1),
    Target.new("idle", :commands, :<=, 2), Target.new("idle", :cpu_percent, :<=, 0.2),
    Target.new("enqueue", :ratio, :>=, 1), Target.new("enqueue-bulk", :ratio, :>=, 1.5)
  ].freeze

  # Rows of several processes: nothing to measure before there is `-p`.
  LATER = [
    ["CPU-bound with -p 2", ">= 1.9 x one process"],
    ["4 processes, one Rails application (PSS)", "<= 0.5 x four of Sidekiq's"]
  ].freeze
end
