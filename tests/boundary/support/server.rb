# frozen_string_literal: true

require "fileutils"
require "json"
require "rbconfig"
require "tmpdir"
require_relative "../../../ruby/spec/support/redis_server"

##
# A server process over a Redis of its own and an application given as text. What its jobs did stands in a ledger,
# a file to which each appends a line in one write.
class Server
  ROOT = File.expand_path("../../..", __dir__)
  PRELUDE = File.join(__dir__, "prelude")
  CLEAN = %w[APP_ENV RAILS_ENV RACK_ENV RAILS_MAX_THREADS REDIS_PROVIDER DYNO NOTIFY_SOCKET BUNDLE_GEMFILE RUBYOPT]
          .to_h { |name| [name, nil] }.freeze
  attr_reader :redis, :pid, :dir

  def self.run(app, **options)
    server = new(app, **options)
    yield server
  ensure
    server&.discard
  end

  # @param path [String] "native" or "ruby"
  def initialize(app, threads: 5, path: "native", env: {}, arguments: [])
    @dir = Dir.mktmpdir("footplate-boundary")
    @redis = RedisServer.start
    File.write(file("app.rb"), "require #{PRELUDE.inspect}\n#{app}")
    File.write(file("ledger"), "")
    @env = CLEAN.merge("REDIS_URL" => @redis.url, "LEDGER" => file("ledger"), "FOOTPLATE_PATH" => path,
                       "LC_ALL" => "C.UTF-8", **env)
    @command = [RbConfig.ruby, "-I#{ENV.fetch("FOOTPLATE_NATIVE", "#{ROOT}/ruby/lib")}", "-I#{ROOT}/ruby/lib",
                "#{ROOT}/ruby/exe/footplate", "-r", "./app.rb", "-c", threads.to_s, *arguments]
  end

  def start
    @pid = Process.spawn(@env, *@command, chdir: dir, in: File::NULL, out: [file("log"), "a"], err: %i[child out],
                                          rlimit_core: 0)
    until_true("a registered process") { redis.call("SCARD", "processes").positive? || raise_if_dead }
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

  def log
    File.exist?(file("log")) ? File.read(file("log"), encoding: "UTF-8").scrub : ""
  end

  # Waits until `count` lines stand in the ledger.
  def await_ledger(count, within: 60)
    until_true("#{count} lines in the ledger", within: within) { ledger.size >= count || raise_if_dead }
  end

  # Nothing waits, runs, or is being settled.
  def idle?
    redis.call("EVAL", ON_THEIR_WAY, 0).zero?
  end

  # Queued or in flight; in one step, since a job may move from where one looks next to where one has just looked.
  ON_THEIR_WAY = <<~LUA
    local count = redis.call('LLEN', 'queue:default')
    for _, name in ipairs(redis.call('KEYS', 'footplate:inflight:*')) do
      for _, field in ipairs(redis.call('HKEYS', name)) do
        if string.sub(field, 1, 1) ~= '#' then count = count + 1 end
      end
    end
    return count
  LUA

  def await_idle(within: 60)
    until_true("an empty queue with nothing in flight", within: within) { idle? || raise_if_dead }
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

  def signal(name)
    Process.kill(name, pid)
  end

  # @return [Process::Status]
  def stop(within: 30)
    signal(:TERM)
    until_true("the end of the process", within: within) { dead? }
    @status
  end

  def discard
    unless @pid.nil? || dead?
      signal(:KILL)
      Process.wait(pid)
    end
    redis.stop
    FileUtils.rm_rf(dir)
  end

  def until_true(what, within: 60)
    deadline = now + within
    until yield
      raise "no #{what} within #{within} s:\n#{log.lines.last(40).join}" if now > deadline

      IO.select(nil, nil, nil, 0.005)
    end
  end

  private

  def file(name)
    File.join(dir, name)
  end

  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end

  def dead?
    @status ||= Process.wait2(pid, Process::WNOHANG)&.last
    !@status.nil?
  end

  def raise_if_dead
    raise "the process died (#{@status}):\n#{log.lines.last(60).join}" if dead?
  end
end
