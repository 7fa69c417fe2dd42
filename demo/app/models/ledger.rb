# frozen_string_literal: true

# What really happened, kept apart from the job engine's own books: one counter per id, so that a job that was lost and
# a job that ran twice both show. All keys begin with "demo:".
module Ledger
  EXPECTED = "demo:expected" # id => kind, written before the job is enqueued
  ATTEMPTS = "demo:attempts" # id => how often perform began
  EFFECTS = "demo:effects"   # id => how often perform did its work
  LATENESS = "demo:lateness" # id => milliseconds after the time the job was scheduled for
  KEYS = [EXPECTED, ATTEMPTS, EFFECTS, LATENESS].freeze

  class << self
    def expect(ids, kind)
      ids.each_slice(500) { |slice| redis("HSET", EXPECTED, *slice.flat_map { |id| [id, kind] }) }
    end

    # The number of this attempt, from 1.
    def attempt(id)
      redis("HINCRBY", ATTEMPTS, id, 1)
    end

    def effect(id)
      redis("HINCRBY", EFFECTS, id, 1)
    end

    def late(id, due)
      redis("HSET", LATENESS, id, ((Time.now.to_f - due) * 1000).round(3).to_s)
    end

    def count(key)
      redis("HLEN", key).to_i
    end

    # Pages through the hash: a ledger of a million entries must not stop Redis.
    def read(key)
      entries = {}
      cursor = "0"
      loop do
        cursor, page = redis("HSCAN", key, cursor, "COUNT", 1000)
        page.each_slice(2) { |id, value| entries[id] = value }
        return entries if cursor == "0"
      end
    end

    def clear
      redis("UNLINK", *KEYS)
    end

    # The redis gem (Sidekiq 6) and redis-client (Sidekiq 7 and newer) both answer to `call`.
    def redis(*command)
      Sidekiq.redis { |connection| connection.call(*command) }
    end
  end
end
