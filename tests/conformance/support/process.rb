# frozen_string_literal: true

module Conformance
  ##
  # A server process seen from outside: its output, its signals, its end.
  class ServerProcess
    # For everything a slow machine may be late with; nothing that is tested takes this long.
    PATIENCE = 10

    attr_reader :pid, :status, :stop_seconds

    # @param command [Array<String>]
    def initialize(command, env:, dir:, log:)
      @log = log
      @pid = Process.spawn(env, *command, chdir: dir, in: File::NULL, out: [log, "a"], err: [log, "a"], pgroup: true)
    end

    # Everything it printed, on both channels.
    def output
      File.read(@log, encoding: "UTF-8").scrub
    end

    # For the message of a failure.
    def tail
      lines.last(40).map { |line| line[0, 240] }.join("\n")
    end

    def lines
      output.lines(chomp: true)
    end

    def running?
      return false if @status

      _, @status = Process.wait2(@pid, Process::WNOHANG)
      @status.nil?
    end

    def signal(name)
      Process.kill(name, @pid) if running?
    end

    # Sends a signal, or none, and waits for the end.
    # @return [Integer, nil] exit status, nil when a signal ended it
    def stop(name = :TERM)
      from = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      signal(name) if name
      Conformance.eventually("the end of the server", self, PATIENCE + 15) { !running? }
      @stop_seconds = Process.clock_gettime(Process::CLOCK_MONOTONIC) - from
      @status.exitstatus
    end

    # In case a test failed half-way.
    def kill
      return unless running?

      Process.kill(:KILL, -@pid)
      _, @status = Process.wait2(@pid)
    end
  end

  # Polls for a state. What is waited for must come; how soon is the machine's business.
  def self.eventually(what, server = nil, seconds = ServerProcess::PATIENCE)
    deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + seconds
    until (found = yield)
      if Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline
        raise "waited #{seconds} s in vain for #{what}\n#{server&.tail}"
      end

      sleep 0.01
    end
    found
  end
end
