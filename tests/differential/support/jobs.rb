# frozen_string_literal: true

# Job classes: what they do follows from the name. FAR keeps a retry from coming due while the slower server runs.
FAR = 50_000

class Marking
  include JobModule

  def perform(id, *)
    Ledger.mark(id)
  end
end

class OneArgument
  include JobModule

  sidekiq_retry_in { FAR }

  def perform(id)
    Ledger.mark(id)
  end
end

class BrokenMessage < StandardError
  def message
    raise "no message either"
  end
end

# Fails in the way that its second argument names.
class Failing
  include JobModule

  sidekiq_retry_in { |_count, error| error.is_a?(KeyError) ? nil : FAR }

  WAYS = {
    "plain" => ->(id) { raise "failed #{id}" },
    "key" => ->(_) { raise KeyError, "default formula" },
    "long" => ->(_) { raise "ä€𝄞".ljust(20_000, "ü") },
    "binary" => ->(_) { raise "\xff\xfe bytes".b },
    "broken" => ->(_) { raise BrokenMessage },
    "nil" => ->(_) { nil.no_such_method },
    "exit" => ->(_) { exit(3) },
    "abort" => ->(_) { abort },
    "exception" => ->(_) { raise Exception, "not a StandardError" }, # rubocop:disable Lint/RaiseException
    "throw" => ->(_) { throw :nobody_catches },
    "stack" => ->(_) { deep = ->(n) { deep.call(n + 1) } and deep.call(0) },
    "timeout" => ->(_) { raise Timeout::Error, "execution expired" },
    "cause" => ->(_) { wrapped_error }
  }.freeze

  def self.wrapped_error
    raise "inner"
  rescue StandardError
    raise ArgumentError, "outer"
  end

  def perform(id, way, *)
    Ledger.mark(id)
    WAYS.fetch(way).call(id)
  end
end

# One class for each answer of sidekiq_retry_in.
ANSWERS = {
  "Integer" => -> { FAR }, "Float" => -> { FAR + 0.9 }, "String" => -> { FAR.to_s }, "Nil" => -> {}, "Zero" => -> { 0 },
  "Negative" => -> { -5 }, "Raising" => -> { raise "no delay" }
}.freeze
# Before 6.5.2 Sidekiq trips over them and stores its own NoMethodError; Footplate keeps the job's error.
WORDS = { "Kill" => -> { :kill }, "Discard" => -> { :discard } }.freeze
KNOWS_WORDS = Gem::Version.new(Sidekiq::VERSION) >= Gem::Version.new("6.5.2")

RETRY_IN = (KNOWS_WORDS ? ANSWERS.merge(WORDS) : ANSWERS).to_h do |name, answer|
  klass = Class.new do
    include JobModule

    sidekiq_retry_in { |*| answer.call }
    sidekiq_retries_exhausted do |job, error|
      Ledger.note("exhausted", [job["args"], job["retry_count"], error.class].inspect)
    end

    def perform(id)
      Ledger.mark(id)
      raise ArgumentError, "retry in"
    end
  end
  [Object.const_set("RetryIn#{name}", klass).name, answer]
end

# One class for each thing that an exhausted block may do.
ENDINGS = { "Noting" => -> {}, "Discarding" => -> { :discard }, "Raising" => -> { raise "in the block" } }.freeze
ENDINGS.each do |name, ending|
  Object.const_set("Exhausted#{name}", Class.new do
    include JobModule

    sidekiq_options retry: 0
    sidekiq_retries_exhausted do |job, error|
      Ledger.note("exhausted", [job["args"], job["error_message"], error.class].inspect)
      ending.call
    end

    def perform(id)
      Ledger.mark(id)
      raise "exhausted"
    end
  end)
end
