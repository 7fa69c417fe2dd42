# frozen_string_literal: true

require "json"
require "zlib"

##
# The failing jobs of hostile_app.rb, as payloads, and what a server left of each.
module HostileJobs
  # Where a retry goes: nobody serves it, so that each job runs once.
  ASIDE = "aside"
  NUMBERS = [0, 1, -1, 2, (2**63) - 1, 2**63, -(2**63) - 1, 10**20, -(10**20), 2.5, nil, true, false, "5", "abc", "",
             "NaN", "Infinity", [], {}, [1]].map { |it| JSON.generate(it) }.push("1e20", "1e400", "-0.0").freeze
  FIELDS = %w[retry retry_count retry_for failed_at retried_at backtrace dead created_at enqueued_at at tags bid
              log_level display_class pool jid max_retries error_message max_iteration_runtime].freeze
  # What the application's code raises in each way.
  SECOND = { "Raises" => "RuntimeError", "NotImplemented" => "NotImplementedError", "OutOfMemory" => "NoMemoryError",
             "Interrupts" => "Interrupt", "Exits" => "SystemExit", "Throws" => "UncaughtThrowError" }.freeze

  class << self
    # @param names [Array<String>] job classes
    # @return [Hash{String => String}] payload by id
    def jobs(names)
      odd = names.to_h do |name|
        [name, payload(name, name, backtrace: name.match?(/Backtrace|Cleaned|Latin/) ? "true" : "2")]
      end
      exhausted = names.grep(/\A(Exhausted|Dying|Heard|Basic|OddlyNamed)/).to_h do |name|
        ["#{name} for good", payload("#{name} for good", name, retry: "0")]
      end
      silent = names.grep(/\A(Option|ReadingOptions|Basic)/).to_h do |name|
        ["#{name} silent", payload("#{name} silent", name, retry: nil)]
      end
      odd.merge(exhausted, silent, numbers)
    end

    def numbers
      FIELDS.product(NUMBERS, [{}, { "retry_count" => "3", "failed_at" => "1700000000" }]).to_h do |field, number, more|
        id = "Plain #{field}=#{number}#{" later" unless more.empty?}"
        [id, payload(id, "Plain", **more.transform_keys(&:to_sym), field.to_sym => number)]
      end
    end

    # Values are JSON; nil leaves a field out.
    def payload(id, name, **fields)
      all = { class: name.to_json, args: [id].to_json, jid: "j".to_json, queue: "default".to_json, retry: "true",
              retry_queue: ASIDE.to_json }.merge(fields).compact
      "{#{all.map { |field, value| "#{field.to_s.to_json}:#{value}" }.join(",")}}"
    end

    # @param redis [OwnRedis]
    # @param started [Float] when the server did
    # @return [Hash{String => Array<Place>}] where each job is now, by id
    def remains(redis, started)
      places = %w[retry dead].flat_map do |set|
        members = redis.call("ZRANGE", set, 0, -1, "WITHSCORES").each_slice(2)
        members.map { |job, score| Place.new(set, job, score.to_f - started) }
      end
      places.group_by(&:id)
    end
  end

  # One of them, and what is written there: as bytes, since a number beyond all is none to JSON.
  Place = Struct.new(:set, :payload, :delay) do
    def id
      JSON.parse(payload[/"args":(\[".*?"\])/, 1]).first
    end

    def error
      payload[/"error_class":"([^"]*)"/, 1]
    end

    def message
      payload[/"error_message":"([^"]*)"/, 1]
    end

    # Sidekiq writes a payload anew, and numbers in another form with it.
    # @return [Array] set and fields, but for times
    def content
      job = JSON.parse(payload)
      %w[failed_at retried_at].each { |name| job[name] = job[name].class if job[name].is_a?(Numeric) }
      job["error_backtrace"] = frames(job["error_backtrace"]) if job["error_backtrace"]
      [set, job]
    end

    # Within the jitter, and as much as one run may have taken longer than the other.
    def as_late_as?(other)
      allowed = (10 * (payload[/"retry_count":(-?\d+)/, 1].to_f.abs + 1)) + 30
      delay == other.delay || (delay - other.delay).abs <= [allowed, delay.abs * 1e-9].max
    end

    private

    # Without those of the server itself.
    def frames(text)
      lines = JSON.parse(Zlib::Inflate.inflate(text.unpack1("m")))
      return lines unless lines.is_a?(Array)

      lines.reject { |line| line.to_s.match?(%r{\A/.*:\d+:in }) && !line.match?(/hostile_app|caf/) }
    end
  end
end
