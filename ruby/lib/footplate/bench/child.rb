# frozen_string_literal: true

require "fileutils"
require "json"
require "tmpdir"
require_relative "clock"

module Footplate
  module Bench
    ##
    # A worker process of one of the engines, in a folder of its own, where its log and its ledger's files are.
    class Child
      include Clock

      # The environment of a service is not theirs.
      CLEAN = %w[NOTIFY_SOCKET WATCHDOG_USEC WATCHDOG_PID DEBUG_INVOCATION REDIS_PROVIDER].to_h { [_1, nil] }.freeze

      attr_reader :pid, :dir

      # @param stops_within [Numeric] seconds that it is given to end when it is told to
      def initialize(stops_within)
        @stops_within = stops_within
        @dir = Dir.mktmpdir("footplate-bench")
      end

      # @param env [Hash{String => String, nil}] besides BENCH_DIR
      # @raise [SystemCallError]
      def start(env, command)
        env = CLEAN.merge(env, "BENCH_DIR" => dir, "BENCH_LEASH" => "1")
        stdin, @leash = IO.pipe
        @started = now
        # Not in our process group: Ctrl-C on the terminal is meant for us, and we then stop it in good order.
        @pid = Process.spawn(env, *command, chdir: dir, in: stdin, out: log, err: %i[child out], pgroup: true)
      ensure
        stdin&.close
      end

      # Seconds since its start.
      def age
        now - @started
      end

      # What its ledger wrote under this name, or nil.
      def written(name)
        path = File.join(dir, name)
        JSON.parse(File.read(path), symbolize_names: true) if File.exist?(path)
      end

      # Looks every `every` seconds, until the block says yes. Each look takes the processor from the worker for 50 µs.
      # @return [Symbol, nil] nil when it said so; :late when it did not within `seconds`; :ended when it never will
      def await(seconds, every:)
        deadline = now + seconds
        until yield
          return :late if now > deadline
          # It may have done it and ended since the block looked.
          return (:ended unless yield) if ended?

          sleep every
        end
      end

      # As an operator stops it; when it does not, by force, and then there is no ledger.
      def stop
        return if ended?

        signal(:TERM)
        deadline = now + @stops_within
        sleep 0.01 until ended? || now > deadline
        kill
      end

      # A second signal to us must not leave it running.
      # @yield once it has ended, while its folder is there
      def discard
        stop
      ensure
        kill
        yield if block_given?
        @leash&.close
        FileUtils.rm_rf(dir)
      end

      # @return [Array<String>]
      def log_lines
        File.exist?(log) ? File.read(log, encoding: "UTF-8").scrub.lines(chomp: true) : []
      end

      private

      def log
        File.join(dir, "log")
      end

      def kill
        return if ended?

        signal(:KILL)
        Process.wait(@pid)
        @pid = nil
      end

      def signal(name)
        Process.kill(name, @pid)
      rescue Errno::ESRCH
        nil
      end

      def ended?
        @pid = nil if @pid && Process.wait(@pid, Process::WNOHANG)
        @pid.nil?
      end
    end
  end
end
