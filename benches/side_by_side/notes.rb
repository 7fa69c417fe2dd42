# frozen_string_literal: true

require_relative "tables"

module SideBySide
  ##
  # What one must know to read the tables.
  module Notes
    MEDIANS = "Medians; ± is half of the range over the runs. Ratios are medians over the pairs of runs, and what is " \
              "in brackets is their range. Starting a process is in none of them."
    OF_SHAPES = {
      burst: "Redis commands per job include those that scripts call. Memory is what is resident after the run. But " \
             "for the no-op and the CPU-bound load, Sidekiq's run has fewer jobs.",
      latency: "Latency is from the moment at which a job ought to be pushed, by a timetable that waits for nobody. " \
               "Of fewer than 1,000 jobs a run there is no p99.9.",
      enqueue: "Enqueued jobs are counted in the queue, by jid. Footplate's client there is that of an application " \
               "without the sidekiq gem, which is the same for both front doors.",
      scheduled: "Lateness is from the moment at which a job is due to its start.",
      idle: "An idle process's Redis commands are those that it sends, without those that scripts call."
    }.freeze
    UNDELAYED = "The figure without delay is Footplate's through the same proxy, with its delay at 0."

    module_function

    # @param summaries [Array<Summary>]
    def of(summaries)
      loads = summaries.map(&:load)
      [MEDIANS, *OF_SHAPES.values_at(*loads.map(&:shape).uniq).compact, *(UNDELAYED if loads.any?(&:undelayed))]
    end

    # An engine that cannot keep up with a rate has no latency of its own there.
    # @param where [String, nil] that was measured
    def behind(summaries, where = nil)
      where = where ? " on #{where}" : ""
      Tables.of(summaries, :latency).flat_map do |summary|
        late = summary.engines.select { |it| summary.spread(it, :backlog)&.median.to_f > summary.load.rate / 5.0 }
        late.map do |engine|
          "#{Engines::TITLES[engine]} does not keep up with \"#{summary.load.title}\"#{where}: what its row shows is " \
            "the queue that grew."
        end
      end
    end

    # @param results [Array<Session::Result>]
    def void(results)
      "#{results.count(&:void)} of #{SideBySide.digits(results.size)} runs are void: they lost or doubled a job, or " \
        "did not end."
    end
  end
end
