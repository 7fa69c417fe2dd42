# frozen_string_literal: true

require_relative "clean_environment"
require_relative "waiting"

##
# A process seen from outside: its output, which is kept in a file, its signals, its end. It may be started again.
# Whatever it started goes with it.
class ChildProcess
  include Waiting

  # Nil until it is started.
  attr_reader :pid
  # Nil as long as it runs.
  attr_reader :status

  # @param command [Array<String>]
  # @param env [Hash{String => String, nil}] besides a clean environment
  # @param log [String] path of the file for its output
  def initialize(command, env:, dir:, log: File.join(dir, "log"))
    @command = command
    @env = CleanEnvironment.without.merge(env)
    @dir = dir
    @log = log
    owner = Process.pid
    at_exit { discard if Process.pid == owner }
  end

  def start
    @status = nil
    @pid = Process.spawn(@env, *@command, chdir: @dir, in: File::NULL, out: [@log, "a"], err: %i[child out],
                                          pgroup: true, rlimit_core: 0)
    self
  end

  def alive?
    return false if @pid.nil? || @status

    _, @status = Process.wait2(@pid, Process::WNOHANG)
    @status.nil?
  end

  def signal(name)
    Process.kill(name, @pid) if alive?
  end

  # Returns when none of its threads runs any more.
  def suspend
    signal(:STOP)
    Process.wait2(@pid, Process::WUNTRACED)
  end

  # @return [Process::Status]
  def wait(within: 60)
    eventually("the end of #{@command.first}", within: within) { !alive? }
    @status
  end

  # @return [Process::Status]
  def stop(within: 60)
    signal(:TERM)
    wait(within: within)
  end

  # Ends it whatever it does.
  def discard
    return unless alive?

    Process.kill(:KILL, -@pid)
    wait
  end

  # Its name in the registry of this Redis, once it has one.
  def identity(redis)
    redis.call("SMEMBERS", "processes").find { |identity| identity.split(":")[1] == pid.to_s }
  end

  # Everything it printed, on both channels.
  def output
    File.exist?(@log) ? File.read(@log, encoding: "UTF-8").scrub : ""
  end

  def lines
    output.lines(chomp: true)
  end

  # For the message of a failure.
  def tail
    lines.last(40).map { |line| line[0, 240] }.join("\n")
  end
  alias circumstances tail
end
