# frozen_string_literal: true

require "fileutils"
require "json"
require "rbconfig"
require "tmpdir"
require_relative "../../support/child_process"
require_relative "../../support/own_redis"

##
# A server process over a Redis of its own and an application given as text. What its jobs did stands in a ledger,
# a file to which each appends a line in one write.
class Server < ChildProcess
  ROOT = File.expand_path("../../..", __dir__)
  PRELUDE = File.join(__dir__, "prelude")

  attr_reader :redis, :dir

  def self.run(app, **options)
    server = new(app, **options)
    yield server
  ensure
    server&.discard
  end

  # @param path [String] "native" or "ruby"
  def initialize(app, threads: 5, path: "native", env: {}, arguments: [])
    @dir = Dir.mktmpdir("footplate-boundary")
    @redis = OwnRedis.start
    File.write(file("app.rb"), "require #{PRELUDE.inspect}\n#{app}")
    File.write(file("ledger"), "")
    all = { "REDIS_URL" => @redis.url, "LEDGER" => file("ledger"), "FOOTPLATE_PATH" => path,
            "LC_ALL" => "C.UTF-8", **env }
    command = [RbConfig.ruby, "-I#{ENV.fetch("FOOTPLATE_NATIVE", "#{ROOT}/ruby/lib")}", "-I#{ROOT}/ruby/lib",
               "#{ROOT}/ruby/exe/footplate", "-r", "./app.rb", "-c", threads.to_s, *arguments]
    super(command, env: all, dir: @dir)
  end

  def start
    super
    eventually("a registered process") { identity(redis) || raise_if_dead }
    self
  end

  # Puts a job of `klass` on the default queue for each list of arguments, all at once.
  def push(klass, lists, **fields)
    lists.each_slice(1000).with_index do |slice, at|
      jobs = slice.each_with_index.map do |args, index|
        args = args.is_a?(String) ? args : JSON.generate(args)
        jid = ((at * 1000) + index).to_s.rjust(24, "0")
        envelope = JSON.generate({ class: klass, queue: "default", retry: true, jid: jid,
                                   created_at: 1.0, enqueued_at: 1.0, **fields })
        "#{envelope.chomp("}")},\"args\":#{args}}"
      end
      redis.call("LPUSH", "queue:default", *jobs)
    end
  end

  def ledger
    File.readlines(file("ledger"), chomp: true)
  end

  # Waits until `count` lines stand in the ledger.
  def await_ledger(count, within: 60)
    eventually("#{count} lines in the ledger", within: within) { ledger.size >= count || raise_if_dead }
  end

  # Nothing waits, runs, or is being settled.
  def await_idle(within: 60)
    eventually("an empty queue with nothing in flight", within: within) { redis.unfinished.zero? || raise_if_dead }
  end

  # Numbers kept by Redis and sizes of its sets.
  def count(name)
    case name
    when :processed, :failed then redis.call("GET", "stat:#{name}").to_i
    else redis.call("ZCARD", name.to_s)
    end
  end

  # @return [Array<Hash>] the jobs of a sorted set
  def jobs_of(set)
    redis.call("ZRANGE", set.to_s, 0, -1).map { |job| JSON.parse(job) }
  end

  # @return [Process::Status]
  def stop(within: 30)
    super
  end

  def discard
    super
    redis.stop
    FileUtils.rm_rf(dir)
  end

  private

  def file(name)
    File.join(dir, name)
  end

  def raise_if_dead
    raise "the process died (#{status}):\n#{tail}" unless alive?
  end
end
