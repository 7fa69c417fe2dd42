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
    # @raise [Bench::Void]
    def check(counts, worker)
      reason = Bench::Void.reason(counts)
      raise Bench::Void, reason if reason

      logged = worker.jobs_logged(@load.kind) if Worker::LOGGED.key?(@load.kind)
      raise Bench::Void, "#{logged} jobs in the log instead of #{@jobs}" unless [nil, @jobs].include?(logged)

      left = @load.all_queue_names.sum { |name| @redis.call("LLEN", "queue:#{name}") }
      raise Bench::Void, "#{left} jobs left in the queue" unless left.zero?

      held = %w[inflight large].flat_map { |kind| @redis.call("KEYS", "footplate:#{kind}:*") }
      raise Bench::Void, "claims left behind: #{held.join(", ")}" if held.any?

      { "retry" => @load.retries ? @jobs : 0, "schedule" => @load.far }.each do |set, expected|
        size = @redis.call("ZCARD", set)
        raise Bench::Void, "#{size} jobs in #{set} instead of #{expected}" unless size == expected
      end
    end
  end
end
