# frozen_string_literal: true

require "footplate/client/bulk"

module Footplate
  ##
  # Pushes jobs to Redis, byte-compatible with Sidekiq's client of the loaded version (8.x without the gem):
  #
  # 1. builds the payload and runs it through the client middleware, which may change or stop it,
  # 2. checks that its arguments survive JSON,
  # 3. writes it to its queue, or to the schedule when it has an `at` (epoch seconds), in one round trip.
  class Client
    include Bulk

    POOL_KEY = :footplate_redis_pool
    private_constant :POOL_KEY

    class << self
      def push(item)
        new.push(item)
      end

      def push_bulk(items)
        new.push_bulk(items)
      end

      # Sends all jobs that the block enqueues in this thread to another Redis.
      # @param pool [#with] a pool of redis-client or redis connections
      def via(pool)
        raise ArgumentError, "No pool given" if pool.nil?

        previous = current_pool
        Thread.current[POOL_KEY] = pool
        yield
      ensure
        Thread.current[POOL_KEY] = previous if pool
      end

      # The pool of the innermost `via`, if any.
      def current_pool
        Thread.current[POOL_KEY]
      end
    end

    # @param pool [#with, nil] default: the one of `via`, else Footplate's
    # @param config [Footplate::Config] for middleware, strict arguments and logger
    # @param chain [Footplate::Middleware::Chain, nil] instead of the configured client middleware
    def initialize(pool: nil, config: Footplate.config, chain: nil)
      @config = config
      @pool = pool || self.class.current_pool || Footplate.redis_pool
      @chain = chain || config.client_middleware
    end

    # The middleware around this client's pushes. With a block, the client gets a copy that may be changed.
    def middleware
      return @chain unless block_given?

      @chain = @chain.dup
      yield @chain
      @chain
    end

    # Pushes one job.
    # @param item [Hash{String => Object}] "class" (class or name) and "args"; optionally "queue", "at" (epoch
    #   seconds), "retry", "jid" and anything else that belongs in the payload
    # @return [String, nil] the jid; nil when a middleware stopped the push
    # @raise [ArgumentError] for an item that is no job or (strict arguments) would not survive JSON
    # @raise the redis gem's errors, Timeout::Error when the pool is exhausted
    def push(item)
      payload = Payload.build(item)
      payload = through_middleware(item["class"], payload) { payload }
      return unless payload

      check(payload)
      send_commands(payload.key?("at") ? [schedule_command([payload])] : ready_commands(payload))
      payload["jid"]
    end

    private

    def through_middleware(job_class, payload, &block)
      @chain.invoke(job_class, payload, payload["queue"], @pool, &block)
    end

    def check(payload)
      StrictArgs.check(payload, @config.strict_args, logger: @config.logger)
    end

    def write(payloads)
      scheduled, ready = payloads.partition { |payload| payload.key?("at") }
      commands = scheduled.empty? ? [] : [schedule_command(scheduled)]
      commands.concat(queue_commands(by_queue(ready))) unless ready.empty?
      send_commands(commands)
    end

    # One round trip. Not a transaction, as in Sidekiq: `queues` only ever gains a name that may have no list.
    def send_commands(commands)
      Redis.with(@pool) do |connection|
        connection.pipelined { |pipeline| commands.each { |command| pipeline.call(*command) } }
      end
    end

    # Members hold neither `at` (the score) nor `enqueued_at` (not yet true).
    def schedule_command(payloads)
      members = payloads.flat_map do |payload|
        [payload["at"].to_s, Payload.dump(payload.except("at", "enqueued_at"))]
      end
      ["ZADD", "schedule", members]
    end

    # @return [Hash{String => Array<String>}] the jobs' JSON by queue
    def by_queue(payloads)
      now = Payload.timestamp
      queues = payloads.group_by { |payload| payload["queue"] }
      queues.transform_values { |group| group.map { |payload| Payload.dump(payload.merge("enqueued_at" => now)) } }
    end

    # Of one job, which is what most pushes are.
    def ready_commands(payload)
      one_queue(payload["queue"], [Payload.dump(payload.merge("enqueued_at" => Payload.timestamp))])
    end

    def one_queue(queue, jobs)
      [["SADD", "queues", queue], ["LPUSH", "queue:#{queue}", jobs]]
    end

    def queue_commands(queues)
      [["SADD", "queues", queues.keys], *queues.map { |queue, jobs| ["LPUSH", "queue:#{queue}", jobs] }]
    end
  end
end
