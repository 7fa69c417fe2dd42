# frozen_string_literal: true

require_relative "load"

module SideBySide
  ##
  # What grows, and what is measured while it does. Each point is a load of its own.
  #
  # figure:: on the y axis: :jobs_per_second, or :p99 in ms
  # tens::   the y axis goes by factors of ten, for what changes by several of them
  # even::   points that are to lie within 10 % of each other
  # redis::  Redis's time per job is of interest as well
  # note::   what a reader must know of it
  Curve = Struct.new(:name, :title, :axis, :figure, :points, :tens, :even, :redis, :note, keyword_init: true) do
    # @param points [Hash{Integer => Hash}] the load's fields by the place on the x axis
    def initialize(name:, title:, points:, figure: :jobs_per_second, **rest)
      loads = points.map do |at, fields|
        fields = { kind: "noop", **fields, curve: name, at: at }
        Load.new(name: "#{name}:#{at}", title: "#{title}: #{SideBySide.digits(at)}", **fields)
      end
      super(name: name, title: title, figure: figure, points: loads, **rest)
    end
  end

  # Jobs whose arguments come to 100 MB at most, and fewer where they are Sidekiq's.
  def self.payload_point(bytes)
    jobs = [100_000, 100_000_000 / bytes].min
    { jobs: jobs, fewer: jobs > 10_000 ? 5 : 1, argument: bytes }
  end

  CURVES = [
    Curve.new(name: "threads", title: "no-op by threads", axis: "threads", even: [1, 5, 25, 100],
              points: [1, 5, 10, 25, 100, 1_000].to_h { |at| [at, { jobs: 500_000, fewer: 40, threads: at }] }),
    Curve.new(name: "queues", title: "no-op by queues", axis: "queues, read in strict order",
              points: [1, 5, 20, 50, 200].to_h { |at| [at, { jobs: 200_000, fewer: 16, queues: at }] }),
    Curve.new(name: "inflight", title: "no-op by jobs in flight beside them", axis: "jobs in flight beside them",
              points: [1, 10, 100, 1_000, 10_000].to_h do |at|
                [at, { jobs: 200_000, holding: at, engines: :ours }]
              end,
              redis: true,
              note: "Each job in flight has a thread of its own, whose stack every GC run reads; claiming and " \
                    "acknowledging cost Redis's time. Sidekiq has no table of jobs in flight."),
    Curve.new(name: "payload", title: "no-op by bytes of an argument", axis: "bytes of an argument", tens: true,
              points: [100, 1_000, 10_000, 100_000, 1_000_000].to_h { |at| [at, SideBySide.payload_point(at)] }),
    Curve.new(name: "schedule", title: "lateness by jobs in the schedule", axis: "jobs in the schedule", figure: :p99,
              points: [1_000, 10_000, 100_000, 1_000_000].to_h do |at|
                [at, { kind: "latency", shape: :scheduled, rate: 100, far: at, engines: :ours }]
              end,
              note: "Sidekiq's lateness is the time between its looks, whatever the size: see the load \"scheduled\".")
  ].freeze
end
