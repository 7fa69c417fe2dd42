# frozen_string_literal: true

##
# The mixed jobs, by weight: run as a script, it pushes them by the real Sidekiq client.
#
#   ruby catalogue.rb COUNT SEED
#
# What fails by the default formula for the first time is due after 15 s. It goes to the queue "last", so that the
# servers meet it at the end and none comes back before they stop.
module Catalogue
  NESTED = { "b" => [nil, 1.5, "grün/\u2028", { "x" => [] }], "big" => 12_345_678_901_234_567_890, "e" => 1e300 }.freeze
  LATER = { "retry_count" => 7, "failed_at" => 1_700_000_000.5 }.freeze

  # Weight, and the item for Client.push of a job with this id.
  ITEMS = [
    [300, ->(id, _) { { "class" => Marking, "args" => [id] } }],
    [150, ->(id, _) { { "class" => Marking, "args" => [id, "text", 1, -2.5, nil, true, NESTED], "queue" => "high" } }],
    [100, ->(id, _) { { "class" => Marking, "args" => [id, "x" * 3_000], "queue" => "low", "tags" => %w[a b] } }],
    [20, ->(id, _) { { "class" => OneArgument, "args" => [id, "one too many"], "queue" => "high" } }],
    [60, ->(id, way) { { "class" => Failing, "args" => [id, way] } }],
    [15, ->(id, _) { { "class" => Failing, "args" => [id, "key"], "queue" => "last" } }],
    [15, ->(id, _) { { "class" => Failing, "args" => [id, "key"], **LATER } }],
    [15, ->(id, way) { { "class" => Failing, "args" => [id, way], "retry" => false } }],
    [10, ->(id, way) { { "class" => Failing, "args" => [id, way], "retry" => 0 } }],
    [10, ->(id, way) { { "class" => Failing, "args" => [id, way], "retry" => 3, "queue" => "low" } }],
    [10, ->(id, way) { { "class" => Failing, "args" => [id, way], "retry" => 8, **LATER } }],
    [5, ->(id, _) { { "class" => Failing, "args" => [id, "plain"], "retry" => true, **LATER, "retry_count" => 24 } }],
    [5, ->(id, way) { { "class" => Failing, "args" => [id, way], "retry" => 0, "dead" => false } }],
    [10, ->(id, way) { { "class" => Failing, "args" => [id, way], "retry_queue" => "other" } }],
    [10, ->(id, way) { { "class" => Failing, "args" => [id, way], "backtrace" => true } }],
    [5, ->(id, _) { { "class" => Failing, "args" => [id, "plain"], "backtrace" => 1 } }],
    [10, ->(id, _) { { "class" => "No::Such", "args" => [id], **LATER } }],
    [5, ->(id, _) { { "class" => "Kernel", "args" => [id], "queue" => "last" } }],
    [5, ->(id, _) { { "class" => "NoSuch", "args" => [id], "retry" => false } }],
    [30, ->(id, _) { { "class" => RETRY_IN.keys[id % RETRY_IN.size], "args" => [id], "queue" => "last" } }],
    [20, ->(id, _) { { "class" => "Exhausted#{ENDINGS.keys[id % ENDINGS.size]}", "args" => [id] } }],
    [10, ->(id, _) { { "class" => Marking, "args" => [id], "at" => Time.now.to_f + 1 + (id.to_f % 2) } }],
    [5, ->(id, way) { { "class" => Failing, "args" => [id, way], "at" => Time.now.to_f + 1 } }],
    [5, ->(id, _) { { "class" => Marking, "args" => [id], "at" => Time.now.to_f + 86_400 } }]
  ].freeze

  WRAPPED = %w[WrappedJob WrappedFailure WrappedDiscard].freeze

  class << self
    def push(count, seed)
      random = Random.new(seed)
      bag = ITEMS.flat_map { |weight, item| [item] * weight }
      ways = Failing::WAYS.keys - ["key"]
      count.times do |id|
        item = bag.sample(random: random).call(id, ways.sample(random: random))
        item["class"] = Object.const_get(item["class"]) if item["class"].to_s.match?(/\A(RetryIn|Exhausted)/)
        Sidekiq::Client.push(item)
      end
      push_rest(count)
    end

    private

    def push_rest(count)
      (count / 100).times do |n|
        Object.const_get(WRAPPED[n % WRAPPED.size]).perform_later(count + n) if defined?(ActiveJob)
      end
      Raw.all.each { |payload| Sidekiq.redis { |redis| redis.lpush("queue:low", payload) } }
    end
  end
end

if $PROGRAM_NAME == __FILE__
  require_relative "app"
  require_relative "raw"
  Catalogue.push(Integer(ARGV[0]), Integer(ARGV[1]))
end
