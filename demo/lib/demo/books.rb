# frozen_string_literal: true

require "sidekiq/api"

module Demo
  # Reads what the engine left in Redis (Sidekiq's own keys, through Sidekiq's own API) and what the ledger knows.
  class Books
    QUEUES = %w[shop_critical shop_default shop_mailers].freeze

    def initialize
      @base = { processed: 0, failed: 0 }
      @base = counters
    end

    # Nothing of an earlier run may count for this one. Only what the demo itself makes is removed.
    def clear
      Ledger.clear
      QUEUES.each { |name| Sidekiq::Queue.new(name).clear }
      [Sidekiq::ScheduledSet.new, Sidekiq::RetrySet.new, Sidekiq::DeadSet.new].each do |set|
        set.each { |job| job.delete if QUEUES.include?(job.queue) }
      end
    end

    def counters
      stats = Sidekiq::Stats.new
      { processed: stats.processed - @base[:processed], failed: stats.failed - @base[:failed] }
    end

    def expected
      Ledger.count(Ledger::EXPECTED)
    end

    def done
      Ledger.count(Ledger::EFFECTS)
    end

    def process(pid)
      Sidekiq::ProcessSet.new.find { |process| process["pid"] == pid && process["hostname"] == Socket.gethostname }
    end

    # One glance, cheap enough for many a second.
    def status
      waiting = QUEUES.sum { |name| Sidekiq::Queue.new(name).size }
      "#{waiting} waiting, #{Sidekiq::ScheduledSet.new.size} scheduled, #{Sidekiq::RetrySet.new.size} to retry"
    end

    # Where jobs of ours still are: place => how many.
    def left
      queues = QUEUES.to_h { |name| ["queue #{name}", Sidekiq::Queue.new(name).size] }
      sets = { "schedule" => Sidekiq::ScheduledSet.new, "retry set" => Sidekiq::RetrySet.new }
      sets = sets.transform_values { |set| set.count { |job| QUEUES.include?(job.queue) } }
      queues.merge(sets).reject { |_, count| count.zero? }
    end

    # The ledger ids of this run's jobs that ended in the dead set.
    def dead_ids
      Sidekiq::DeadSet.new.select { |job| job.klass == "FraudCheckJob" }.map { |job| job.args.first }
    end

    def versions
      redis = Sidekiq.redis { |connection| connection.call("INFO", "server") }[/^(?:valkey|redis)_version:(\S+)/, 1]
      "Ruby #{RUBY_VERSION}, Rails #{Rails.version}, Sidekiq #{Sidekiq::VERSION}, Redis #{redis}"
    end
  end
end
