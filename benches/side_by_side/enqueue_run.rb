# frozen_string_literal: true

require_relative "engines"
require_relative "shared"

module SideBySide
  ##
  # No worker: a client enqueues jobs, and what counts is how many in a second. They are then looked for in the queue.
  class EnqueueRun
    PROGRAM = File.join(__dir__, "enqueue.rb")
    SLICE = 10_000

    # @param url [String] where the client finds Redis, if that is not where we do
    def initialize(redis:, engine:, load:, jobs:, url: redis.url)
      @redis = redis
      @engine = engine
      @load = load
      @jobs = jobs
      @url = url
    end

    # @return [Hash{Symbol => Object}] the figures
    # @raise [Bench::Void]
    def call
      @redis.call("FLUSHALL")
      before = @redis.costs
      took = Bench::Program.run(PROGRAM, env) do |dir|
        @after = @redis.costs
        check(File.readlines(File.join(dir, "jids"), chomp: true))
      end
      costs = @after.to_h { |name, value| [name, (value - before[name]).fdiv(@jobs)] }
      { jobs: @jobs, jobs_per_second: @jobs / took[:seconds], **took, per_job: { **took[:per_job], **costs } }
    end

    private

    def env
      client = @engine == :sidekiq ? "sidekiq" : "footplate"
      Engines.env.merge("BENCH_CLIENT" => client, "BENCH_LOAD" => @load.kind, "BENCH_JOBS" => @jobs.to_s,
                        "REDIS_URL" => @url)
    end

    # @param jids [Array<String>] as the client said them, with the one before the clock began
    def check(jids)
      found = enqueued
      lost = (jids - found).size + (@jobs + 1 - jids.uniq.size)
      doubled = found.size - found.uniq.size
      strange = (found - jids).size
      return if [lost, doubled, strange].all?(0)

      raise Bench::Void, "#{lost} jobs lost, #{doubled} enqueued twice, #{strange} that nobody enqueued"
    end

    # @return [Array<String>] the jids of what is in the queue
    def enqueued
      length = @redis.call("LLEN", "queue:default")
      0.step(length - 1, SLICE).flat_map do |from|
        payloads = @redis.call("LRANGE", "queue:default", from, from + SLICE - 1)
        payloads.map { |payload| payload[/"jid":"(\h+)"/, 1] }
      end
    end
  end
end
