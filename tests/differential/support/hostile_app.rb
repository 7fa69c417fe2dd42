# frozen_string_literal: true

# Jobs that fail, and everything that may go wrong while their failure is recorded: each part of the exception, each
# block and each handler misbehaves in each way. What the error and death handlers hear is noted in the ledger.
require_relative "app"

module Hostile
  LATIN = "caf\xE9.rb:1"
  # An answer that claims to be equal to everything.
  Agreeing = Class.new { define_method(:==) { |_| true } }
  BadInteger = Class.new { def to_i = "many" }
  RaisingInteger = Class.new { def to_i = raise("second") }
  LyingText = Class.new(String) { def [](*) = raise("second") }

  WAYS = {
    "raises" => -> { raise "second" }, "not_implemented" => -> { raise NotImplementedError, "second" },
    "out_of_memory" => -> { raise NoMemoryError, "second" }, "interrupts" => -> { raise Interrupt, "second" },
    "exits" => -> { exit(7) }, "throws" => -> { throw :second }
  }.freeze
  ANSWERS = WAYS.merge(
    "nil" => -> {}, "symbol" => -> { :odd }, "integer" => -> { 5 }, "array" => -> { [:a, nil, 2.5] },
    "hash" => -> { { "a" => 1 } }, "strings" => -> { %w[a b c] }, "basic" => -> { BasicObject.new },
    "text" => -> { "plain" }, "latin" => -> { LATIN.dup.force_encoding("ISO-8859-1") }, "broken" => -> { LATIN.dup },
    "binary" => -> { LATIN.b }, "lines_latin" => -> { [LATIN.dup.force_encoding("ISO-8859-1")] },
    "lines_broken" => -> { [LATIN.dup, LATIN.b] }, "utf16" => -> { ("ü" * 9_000).encode("UTF-16LE") },
    "huge" => -> { "ü" * 20_000 }, "lying" => -> { LyingText.new("lie") }
  ).freeze
  PARTS = %w[message to_s inspect full_message detailed_message backtrace backtrace_locations cause class == is_a?
             instance_of? object_id hash].freeze

  DELAYS = ANSWERS.merge(
    "beyond" => -> { 10**20 }, "far_beyond" => -> { 10**400 }, "largest" => -> { (2**63) - 1 }, "soon" => -> { 20 },
    "nought" => -> { 0 }, "negative" => -> { -(10**20) }, "fraction" => -> { 0.9 }, "rational" => -> { 301 / 2r },
    "infinite" => -> { Float::INFINITY }, "nan" => -> { Float::NAN }, "number" => -> { "100" },
    "agreeing" => -> { Agreeing.new }, "bad_integer" => -> { BadInteger.new },
    "raising_integer" => -> { RaisingInteger.new }
  ).merge(KNOWS_WORDS ? { "kill" => -> { :kill }, "discard" => -> { :discard } } : {}).freeze

  OPTIONS = { "nil" => nil, "true" => true, "false" => false, "nought" => 0, "one" => 1, "negative" => -1,
              "beyond" => 10**20, "text" => "3", "fraction" => 2.5, "nan" => Float::NAN, "symbol" => :many,
              "list" => [3] }.freeze

  NAMES = %w[BasicJob OddlyNamedJob] # rubocop:disable Style/MutableConstant

  class << self
    def name_for(*parts)
      parts.join("_").gsub(/(\A|_)(\w)/) { Regexp.last_match(2).upcase }.tr("?", "P").gsub("==", "Equal")
    end

    # @return [String] the name of a job class
    def job(*parts, &body)
      name = name_for(*parts)
      Object.const_set(name, Class.new do
        include JobModule

        def perform(id, *)
          Ledger.mark(id)
          raise ArgumentError, "own"
        end
        class_exec(&body) if body
      end)
      NAMES << name
      name
    end

    def odd_errors
      PARTS.product(ANSWERS.to_a) do |part, (way, answer)|
        error = Class.new(StandardError) { define_method(part) { |*, **| answer.call } }
        Object.const_set("#{name_for("odd", part, way)}Error", error)
        raising(name_for("odd", part, way), error)
      end
      WAYS.each { |way, answer| odd_name(way, answer) }
      raising("OddNameless", Class.new(StandardError))
    end

    def odd_name(way, answer)
      error = Object.const_set("OddName#{name_for(way)}Error", Class.new(StandardError))
      error.define_singleton_method(:name) { |*| answer.call }
      raising("OddName#{name_for(way)}", error)
      wanting = Object.const_set("OddNameWanting#{name_for(way)}Error", Class.new(StandardError))
      wanting.define_singleton_method(:name) { |_wanted| answer.call }
      raising("OddNameWanting#{name_for(way)}", wanting)
    end

    def raising(name, error)
      Object.const_set(name, Class.new do
        include JobModule

        define_method(:perform) { |id, *| Ledger.mark(id) && raise(error, "own") }
      end)
      NAMES << name
    end

    def odd_backtraces
      ANSWERS.each_key do |way|
        job("cleaned", way) do
          define_method(:perform) { |id, *| Ledger.mark(id) && public_send("cleaned_#{way}") }
          define_method("cleaned_#{way}") { raise ArgumentError, "own" }
        end
      end
      latin = "def perform(id, *) = Ledger.mark(id) && raise(ArgumentError, 'own')"
      job("latin", "file") { class_eval(latin, LATIN.dup, 1) }
    end

    def odd_blocks
      DELAYS.each { |way, answer| job("in", way) { sidekiq_retry_in { |*| answer.call } } }
      ANSWERS.each { |way, answer| job("exhausted", way) { sidekiq_retries_exhausted { |*| answer.call } } }
      OPTIONS.each { |way, option| job("option", way) { sidekiq_options(retry: option) } }
      WAYS.each do |way, answer|
        job("reading_options", way) { define_singleton_method(:get_sidekiq_options) { answer.call } }
        job("heard", way)
        job("dying", way)
      end
    end
  end

  # Without any of Object's methods.
  class Basic < BasicObject
    include ::JobModule

    def perform(id, *)
      ::Ledger.mark(id)
      ::Kernel.raise ::ArgumentError, "own"
    end
  end
  ::Object.const_set("BasicJob", Basic)

  # Not even the text of the job's name may be read for a message.
  ::Object.const_set("OddlyNamedJob", Class.new do
    include JobModule

    sidekiq_retry_in { |*| raise "second" }
    def self.name(_wanted) = raise("second")
    def self.to_s = raise("second")

    def perform(id, *)
      Ledger.mark(id)
      raise ArgumentError, "own"
    end
  end)

  odd_errors
  odd_blocks
  odd_backtraces
  job("plain")
end

# By the job's name: "HeardExits", "DyingExits".
def misbehave(prefix, job)
  way = Hostile::WAYS.find { |name, _| job["class"] == "#{prefix}#{Hostile.name_for(name)}" }
  way&.last&.call
end

# Misbehaves for the jobs that say so in their backtrace.
def clean(lines)
  texts = Array(lines).grep(String).map(&:b)
  way = texts.filter_map { |line| line[/cleaned_(\w+)/, 1] }.first
  way ? Hostile::ANSWERS.fetch(way).call : lines
end

# Ruby's own word.
def own_class(error)
  Module.instance_method(:name).bind_call(Kernel.instance_method(:class).bind_call(error))
end

Sidekiq.configure_server do |config|
  config.error_handlers << ->(_, context, _config = nil) { misbehave("Heard", context[:job] || {}) }
  config.error_handlers << lambda do |error, context, _config = nil|
    Ledger.note("heard", [(context[:job] || {})["args"]&.first || context[:context], own_class(error)].join("|"))
  end
  config.death_handlers << ->(job, _) { misbehave("Dying", job) }
  config.death_handlers << ->(job, error) { Ledger.note("died", [job["args"].first, own_class(error)].join("|")) }
  settings = config.respond_to?(:[]=) ? config : Sidekiq.options
  settings[:backtrace_cleaner] = method(:clean) if Gem::Version.new(Sidekiq::VERSION) >= Gem::Version.new("7.1")
end

puts Hostile::NAMES if $PROGRAM_NAME == __FILE__
