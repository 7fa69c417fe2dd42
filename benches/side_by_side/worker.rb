# frozen_string_literal: true

require_relative "engines"
require_relative "shared"

module SideBySide
  ##
  # A process of one of the engines.
  class Worker < Bench::Child
    STOPS_WITHIN = 40
    # Seconds between two looks for what our clock waits for, and for what it does not.
    OFTEN = 0.002
    RARELY = 0.05
    # The lines that say of a job that it is done, where the load writes a log: what they are in, and what they hold.
    LOGGED = { "logging" => ["log", /class=NoopJob.*: done$/],
               "activejob-info" => ["active_job.log", /Performed NoopActiveJob /] }.freeze

    def initialize(engine, load, jobs, redis_url)
      super(STOPS_WITHIN)
      env = Engines.env.merge("REDIS_URL" => redis_url, "BENCH_JOBS" => jobs.to_s, "BENCH_LOAD" => load.kind,
                              "BENCH_THREADS" => load.all_threads.to_s, "BENCH_HOLDING" => load.holding.to_s)
      start(env, Engines.command(engine, load))
    rescue SystemCallError => e
      discard
      raise Error, "cannot start a worker: #{e.message}"
    end

    # @param kind [String] of a load in LOGGED
    # @return [Integer] how many jobs its log says are done
    def jobs_logged(kind)
      file, line = LOGGED.fetch(kind)
      File.foreach(File.join(dir, file)).grep(line).size
    end

    # What the ledger wrote under this name, which it does within `seconds` or never.
    def report(name, seconds, every: RARELY)
      found = nil
      wait(seconds, "its #{name}", every: every) { found = written(name) }
      found
    end

    # Until the block says yes.
    # @raise [Bench::Void]
    def wait(seconds, what, every: OFTEN, &done)
      case await(seconds, every: every, &done)
      when :late then raise Bench::Void, "waited #{seconds} s for #{what}\n#{tail}"
      when :ended then raise Bench::Void, "it ended, and #{what} did not come\n#{tail}"
      end
    end

    private

    def tail
      log_lines.last(15).join("\n")
    end
  end
end
