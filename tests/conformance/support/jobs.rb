# frozen_string_literal: true

module Conformance
  ##
  # Jobs as clients leave them in Redis, and what became of them.
  module Jobs
    # @return [Hash] what the loaded generation's client would write
    def payload(klass, *args, **fields)
      { "class" => klass, "args" => args, "queue" => "default", "jid" => SecureRandom.hex(12), "retry" => true,
        "created_at" => stamp, "enqueued_at" => stamp }.merge(fields.transform_keys(&:to_s))
    end

    # A moment in the unit of the loaded generation.
    def stamp(time = Time.now)
      Generation.milliseconds? ? (time.to_f * 1000).round : time.to_f
    end

    # @return [String] the payload
    def push(klass, *args, **fields)
      push_raw(JSON.generate(payload(klass, *args, **fields)), (fields[:queue] || "default").to_s)
    end

    def push_raw(string, queue = "default")
      redis.call("SADD", "queues", queue)
      redis.call("LPUSH", "queue:#{queue}", string)
      string
    end

    # Into a sorted set: "schedule", "retry".
    def put(set, at, klass, *args, **fields)
      JSON.generate(payload(klass, *args, **fields)).tap { |string| redis.call("ZADD", set, at.to_f, string) }
    end

    # @return [Array<String>] raw payloads, the one that runs next at the front
    def queue(name = "default")
      redis.call("LRANGE", "queue:#{name}", 0, -1).reverse
    end

    # @return [Hash{String => Hash}] jobs of a sorted set by class, each with its "score"
    def entries(set)
      redis.call("ZRANGE", set, 0, -1, "WITHSCORES").each_slice(2).to_h do |job, score|
        job = JSON.parse(job)
        [job["class"], job.merge("score" => score.to_f)]
      end
    end

    def processed
      redis.call("GET", "stat:processed").to_i
    end

    def failed
      redis.call("GET", "stat:failed").to_i
    end

    # Until nothing is on its way: everything that was pushed has come to its end.
    def drained(within: 8)
      eventually("all jobs to be done", within: within) { redis.unfinished(due_within: 0).zero? }
    end

    # How many are claimed by a server and not acknowledged.
    def in_flight
      redis.inflight.size
    end
  end
end
