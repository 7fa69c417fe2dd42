# frozen_string_literal: true

require "fileutils"
require "json"
require "tmpdir"
require_relative "engines"

module SideBySide
  # A run that cannot be counted: it lost or doubled a job, or did not end.
  class Void < StandardError; end

  ##
  # A process of one of the engines, in a folder of its own, where its log and its ledger's files are.
  class Worker
    STOPS_WITHIN = 40
    # Seconds between two looks for what our clock waits for, and for what it does not: each takes the worker's
    # processor away for 50 µs.
    OFTEN = 0.002
    RARELY = 0.05

    attr_reader :pid

    def initialize(engine, load, jobs, redis_url)
      @dir = Dir.mktmpdir("footplate-bench")
      env = Engines.env.merge("REDIS_URL" => redis_url, "BENCH_DIR" => @dir, "BENCH_JOBS" => jobs.to_s,
                              "BENCH_LOAD" => load.kind, "BENCH_THREADS" => load.all_threads.to_s,
                              "BENCH_HOLDING" => load.holding.to_s)
      @spawned = now
      @pid = Process.spawn(env, *Engines.command(engine, load), chdir: @dir, in: File::NULL, out: log,
                                                                err: %i[child out])
    rescue Errno::ENOENT => e
      FileUtils.rm_rf(@dir)
      raise Error, "cannot start a worker: #{e.message}"
    end

    # How many no-ops its log says are done.
    def jobs_logged
      File.foreach(log).count { |line| line.include?("class=NoopJob") && line.end_with?(": done\n") }
    end

    # Seconds since its start.
    def age
      now - @spawned
    end

    # What the ledger wrote under this name, which it does within `seconds` or never.
    def report(name, seconds, every: RARELY)
      path = File.join(@dir, name)
      wait(seconds, "its #{name}", every: every) { File.exist?(path) }
      JSON.parse(File.read(path), symbolize_names: true)
    end

    # Until the block says yes.
    # @raise [Void]
    def wait(seconds, what, every: OFTEN)
      deadline = now + seconds
      until yield
        raise Void, "waited #{seconds} s for #{what}\n#{tail}" if now > deadline
        # It may have done it and ended since the block looked.
        raise Void, "it ended, and #{what} did not come\n#{tail}" if ended? && !yield

        sleep every
      end
    end

    # As an operator stops it; when it does not, by force, and then there is no ledger.
    def stop
      return if ended?

      Process.kill(:TERM, @pid)
      deadline = now + STOPS_WITHIN
      sleep 0.01 until ended? || now > deadline
      return if ended?

      Process.kill(:KILL, @pid)
      Process.wait(@pid)
      @pid = nil
    end

    def discard
      stop
    ensure
      FileUtils.rm_rf(@dir)
    end

    private

    def ended?
      @pid = nil if @pid && Process.wait(@pid, Process::WNOHANG)
      @pid.nil?
    end

    def log
      File.join(@dir, "log")
    end

    def tail
      File.exist?(log) ? File.read(log, encoding: "UTF-8").scrub.lines.last(15).join : ""
    end

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end
end
