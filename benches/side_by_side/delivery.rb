# frozen_string_literal: true

require_relative "worker"

module SideBySide
  ##
  # Whether every job of a run ran once, and whether Redis holds what it must after it, and nothing else.
  class Delivery
    def initialize(redis, load, jobs)
      @redis = redis
      @load = load
      @jobs = jobs
    end

    # @param counts [Hash] what the ledger wrote as the worker ended
    # @param worker [Worker] for its log
    # @raise [Void]
    def check(counts, worker)
      raise Void, "#{counts[:missing]} jobs lost, #{counts[:doubled]} run twice" unless counts.values.all?(0)

      logged = worker.jobs_logged if @load.kind == "logging"
      raise Void, "#{logged} jobs in the log instead of #{@jobs}" unless [nil, @jobs].include?(logged)

      left = @load.all_queue_names.sum { |name| @redis.call("LLEN", "queue:#{name}") }
      raise Void, "#{left} jobs left in the queue" unless left.zero?

      held = %w[inflight large].flat_map { |kind| @redis.call("KEYS", "footplate:#{kind}:*") }
      raise Void, "claims left behind: #{held.join(", ")}" if held.any?

      { "retry" => @load.retries ? @jobs : 0, "schedule" => @load.far }.each do |set, expected|
        size = @redis.call("ZCARD", set)
        raise Void, "#{size} jobs in #{set} instead of #{expected}" unless size == expected
      end
    end
  end
end
