# frozen_string_literal: true

module Demo
  # One process that we started, with its log. It gets a process group of its own, so that Ctrl-C on the terminal
  # reaches only us and we stop our children in our own order; should we be killed outright, the kernel ends them
  # (setpriv).
  class Child
    Died = Class.new(StandardError)

    attr_reader :name, :pid, :log, :status

    def initialize(name, command, log:, env: {}, chdir: Dir.pwd)
      @name = name
      @log = log
      command = ["setpriv", "--pdeathsig", "KILL", *command] if self.class.setpriv?
      env = env.merge("PWD" => chdir) # as a shell would; puma for one believes it
      @pid = Process.spawn(env, *command, chdir:, pgroup: true, in: File::NULL, out: [log, "a"], err: %i[child out])
    end

    def self.setpriv?
      return @setpriv if defined?(@setpriv)

      @setpriv = system("setpriv", "--pdeathsig", "KILL", "true", out: File::NULL, err: File::NULL) || false
    end

    def alive?
      return false if @status

      _, @status = Process.waitpid2(@pid, Process::WNOHANG)
      @status.nil?
    end

    def check!
      raise Died, "#{name} ended by itself (#{outcome}).\n#{tail}" unless alive?
    end

    # Waits until the block is true; says what the child last logged when it dies or takes too long.
    def wait_until(what, seconds: 30)
      deadline = Demo.now + seconds
      loop do
        return if yield

        check!
        raise Died, "#{name}: no #{what} within #{seconds} s.\n#{tail}" if Demo.now > deadline

        sleep 0.02
      end
    end

    def signal(name)
      Process.kill(name, @pid) if alive?
    rescue Errno::ESRCH
      nil
    end

    # TERM, then KILL for its whole group if it does not end in time. Returns its exit status.
    def stop(signal: "TERM", seconds: 30)
      signal(signal)
      kill unless ended(within: seconds)
      @status
    end

    def ended(within:)
      deadline = Demo.now + within
      sleep 0.02 while alive? && Demo.now < deadline
      !alive?
    end

    def kill
      Process.kill("KILL", -@pid)
      _, @status = Process.waitpid2(@pid)
    rescue Errno::ESRCH, Errno::ECHILD
      @status
    end

    def outcome
      return "running" if @status.nil?

      @status.signaled? ? "killed by #{Signal.signame(@status.termsig)}" : "exit status #{@status.exitstatus}"
    end

    # Without backtrace lines, which would push the message itself out of sight.
    def tail(count = 12)
      lines = File.file?(log) ? File.readlines(log, encoding: "UTF-8").map(&:scrub) : []
      lines = lines.grep_v(/:\d+:in [`'][^'`]*'$/).last(count)
      "Last lines of #{log}:\n#{lines.map { |line| "  | #{line}" }.join}"
    end
  end

  def self.now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end
end
