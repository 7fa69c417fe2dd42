# frozen_string_literal: true

require "base64"
require "json"
require "zlib"

##
# Everything that a server left in its Redis, with what may differ taken out: times (but not their type), pids and
# identities, jitter, the frames of a backtrace that are not the application's, and Footplate's own keys.
class Account
  TIMES = /"(enqueued_at|failed_at|retried_at)":(\d+(\.\d+)?)/
  TRACE = /"error_backtrace":"([^"]*)"/
  # From 3.1 on Ruby appends the line of code to a NameError's message: where no job was called, the server's own.
  HIGHLIGHT = /(uninitialized constant [\w:]+|undefined method [`']new' for [\w: ]+)\\n\\n.*?(?=","error_class":"N)/
  APPLICATION = %r{differential/support/jobs\.rb:\d+}
  # The lock of whoever pruned the registry last: Sidekiq has it from 6.5 on, and it is gone after a minute.
  PASSING = /\Aprocess_cleanup\z/
  YEAR = 365 * 86_400

  def initialize(redis)
    @redis = redis
  end

  # @return [Hash{String => Array}] type, time to live and content by name
  def to_h
    names = @redis.keys("*").reject { |name| name.start_with?("footplate:") || name.match?(PASSING) || metric?(name) }
    names.to_h { |name| [plain(name), [type(name), lifetime(name), content(name)]] }
  end

  # Scores of the retry set, beside when the job failed and how often.
  def delays
    pairs("retry").map do |job, score|
      job = JSON.parse(job)
      time = job["retried_at"] || job["failed_at"]
      time /= 1_000.0 if time.is_a?(Integer)
      { class: job["wrapped"] || job["class"], id: job["args"].first, message: job["error_message"],
        count: job["retry_count"], error: job["error_class"], delay: score.to_f - time }
    end
  end

  # Executions and failures by class, over all minutes (7 and newer).
  def metrics
    minutes = @redis.keys("j|*").select { |name| name.count(":") == 1 && name.split("|")[1].size >= 6 }
    # From 8.0 on every run is also in a ten-minute key: one digit after the colon.
    minutes = minutes.select { |name| name[/:(\d+)\z/, 1].size == 2 } if minutes.any? { |name| name =~ /\Aj\|\d{6}\|/ }
    fields = minutes.flat_map { |name| @redis.call("HGETALL", name).each_slice(2).to_a }
    fields.reject { |field, _| field.end_with?("|ms") }
          .each_with_object(Hash.new(0)) { |(field, count), sums| sums[field] += count.to_i }
  end

  private

  def metric?(name)
    name.start_with?("j|", "h|") || name.match?(/\A[\w:]+-\d\d-\d\d:\d{1,2}\z/)
  end

  def plain(name)
    name.sub(/\A[^:]+:\d+:\h{12}/, "<identity>").sub(/\d{4}-\d\d-\d\d\z/, "<day>")
  end

  def type(name)
    @redis.call("TYPE", name)
  end

  def lifetime(name)
    case (seconds = @redis.call("TTL", name))
    when -1 then :ever
    when 0..60 then :minute
    when ((5 * YEAR) - 3_600)..(5 * YEAR) then :five_years
    else seconds
    end
  end

  def content(name)
    return :facts if plain(name) == "<identity>" # a superset of Sidekiq's: see the registry's own tests

    case type(name)
    when "string" then @redis.call("GET", name)
    when "set" then @redis.call("SMEMBERS", name).sort
    when "list" then @redis.call("LRANGE", name, 0, -1).map { |job| job(job) }.sort
    when "hash" then @redis.call("HGETALL", name).each_slice(2).sort
    when "zset" then pairs(name).map { |job, score| [job(job), (score if name == "schedule")] }.sort_by(&:first)
    end
  end

  def pairs(name)
    @redis.call("ZRANGE", name, 0, -1, "WITHSCORES").each_slice(2).to_a
  end

  # Byte by byte but for times and backtraces.
  def job(payload)
    payload.scrub { |byte| byte.unpack1("H*") }
           .gsub(TIMES) { "\"#{Regexp.last_match(1)}\":<#{Regexp.last_match(3) ? "Float" : "Integer"}>" }
           .sub(HIGHLIGHT, "\\1")
           .gsub(TRACE) { "\"error_backtrace\":#{frames(Regexp.last_match(1))}" }
  end

  def frames(text)
    lines = JSON.parse(Zlib::Inflate.inflate(text.gsub("\\n", "").unpack1("m")))
    # How deep an endless recursion gets differs from run to run.
    lines.grep(APPLICATION).uniq.inspect
  end
end
