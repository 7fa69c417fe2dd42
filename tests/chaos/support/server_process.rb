# frozen_string_literal: true

require "fileutils"
require "shellwords"
require "tmpdir"
require_relative "waiting"

##
# A worker process, Footplate or the real Sidekiq, over an application file and a Redis. Its output is kept in a file.
class ServerProcess
  include Waiting

  ROOT = File.expand_path("../../..", __dir__)
  FOOTPLATE = ENV.fetch("FOOTPLATE_SERVER", File.join(ROOT, "bin/footplate")).shellsplit.freeze
  SIDEKIQ = %w[sidekiq].freeze
  # What the machine that runs the suite says about environments and threads does not count.
  CLEAN = %w[APP_ENV RAILS_ENV RACK_ENV RAILS_MAX_THREADS REDIS_PROVIDER DYNO NOTIFY_SOCKET BUNDLE_GEMFILE RUBYOPT]
          .to_h { |name| [name, nil] }.freeze

  attr_reader :pid, :dir, :log

  # @param app [String] a Ruby file
  # @param tuning [Hash] for config/footplate.yml
  def initialize(app:, redis:, ledger:, program: FOOTPLATE, arguments: [], tuning: {}, env: {})
    @redis = redis
    @dir = Dir.mktmpdir("footplate-chaos")
    @log = File.join(@dir, "log")
    write_tuning(tuning)
    @command = [*program, "-r", app, *arguments]
    @env = CLEAN.merge("REDIS_URL" => redis.url, "LEDGER" => ledger.socket, "LC_ALL" => "C.UTF-8").merge(env)
    at_exit { discard }
  end

  def start
    @pid = Process.spawn(@env, *@command, chdir: @dir, in: File::NULL, out: [@log, "a"], err: %i[child out],
                                          rlimit_core: 0)
    self
  end

  # Until it is in the registry. It may die before.
  def await_ready(within: 60)
    eventually("a registered process\n#{tail}", within: within) { registered? || !alive? }
    self
  end

  def registered?
    @redis.call("SMEMBERS", "processes").any? { |identity| identity.split(":")[1] == pid.to_s }
  end

  def alive?
    return false unless @pid

    ended, @status = Process.wait2(@pid, Process::WNOHANG)
    @pid = nil if ended
    !ended
  end

  # @return [Array<String>] what it had in flight
  def kill
    pid = @pid or return []
    signal(:KILL)
    wait
    @redis.inflight(":#{pid}:")
  end

  def signal(name)
    Process.kill(name, @pid) if @pid
  rescue Errno::ESRCH
    nil
  end

  # @return [Process::Status]
  def wait(within: 60)
    return @status unless @pid

    eventually("the end of #{@command.first}\n#{tail}", within: within) { !alive? }
    @status
  end

  def stop
    signal(:TERM)
    wait
  end

  def output
    File.exist?(@log) ? File.read(@log, encoding: "UTF-8").scrub : ""
  end

  # Ends it whatever it does, and removes its folder.
  def discard
    if @pid
      signal(:KILL)
      wait
    end
    FileUtils.rm_rf(@dir)
  end

  private

  def write_tuning(tuning)
    return if tuning.empty?

    FileUtils.mkdir_p(File.join(@dir, "config"))
    File.write(File.join(@dir, "config/footplate.yml"), tuning.map { |key, value| "#{key}: #{value}\n" }.join)
  end

  def tail
    output.lines.last(40).join
  end
end
