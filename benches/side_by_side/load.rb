# frozen_string_literal: true

module SideBySide
  # 10,000 for 10000.
  def self.digits(number)
    number.to_s.gsub(/(\d)(?=(\d{3})+\z)/, "\\1,")
  end

  # Shapes of loads of which jobs/s are counted.
  COUNTED = %i[burst enqueue].freeze
  # The queue of the jobs that are in flight all the time.
  HOLDING = "holding"

  ##
  # What is measured, as data.
  #
  # name::     for `--only`
  # title::    for the table
  # kind::     the jobs and the settings of the application (BENCH_LOAD); default: the name
  # shape::    how jobs reach the worker, and what is measured: see Run.shape
  # jobs::     how many, for Footplate
  # fewer::    Sidekiq gets `jobs / fewer`, so that its runs take seconds and not minutes
  # threads::  of the worker
  # bare::     the loop in one Ruby process without Redis that limits this load (see bare_loop.rb), or nil
  # rate::     jobs/s pushed to an idle worker, or due; such a load measures latency, and its jobs are seconds' worth
  # longer::   so many times as long as others with a rate: the 99th percentile of a hundred jobs is one job
  # retries::  every job ends in the retry set, and the run with the last that is stored there
  # delay::    milliseconds that a proxy adds to each round trip of the worker
  # undelayed:: Footplate also runs, in turn, with that delay at 0: the proxy itself needs the processor, too
  # queues::   over which the jobs are spread
  # argument:: bytes of a job's second argument, or nil for a number
  # holding::  jobs that are in flight all the time, each with a thread more for it
  # far::      jobs in the schedule that are due another day
  # engines::  who runs it: nil for all, :ours for Footplate's doors
  # curve::    the name of the curve that it is a point of, or nil
  # at::       where on that curve
  # slow::     left out by --quick
  Load = Struct.new(:name, :title, :kind, :shape, :jobs, :fewer, :threads, :bare, :rate, :longer, :retries, :delay,
                    :undelayed, :queues, :argument, :holding, :far, :engines, :curve, :at, :slow, keyword_init: true) do
    def initialize(name:, threads: 10, **rest)
      defaults = { kind: name, shape: :burst, threads: threads, fewer: 1, queues: 1, holding: 0, far: 0,
                   longer: 1 }
      super(**defaults, **rest, name: name)
    end

    # Jobs for an engine. With a rate: enough for `seconds`.
    def count(engine, scale, seconds)
      return (rate * seconds).round if rate
      return jobs unless COUNTED.include?(shape)

      count = jobs * scale
      count /= fewer if engine == :sidekiq
      [count.round, 200].max
    end

    def runs?(engine)
      engines.nil? || engine != :sidekiq
    end

    def queue_names
      return ["default"] if queues == 1

      Array.new(queues) { |number| "q#{number}" }
    end

    def all_queue_names
      [*queue_names, *(HOLDING if holding.positive?)]
    end

    def all_threads
      threads + holding
    end
  end
end
