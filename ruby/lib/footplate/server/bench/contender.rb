# frozen_string_literal: true

require "fileutils"
require "json"
require "tmpdir"
require "footplate/server/bench/limits"
require "footplate/server/bench/programs"
require "footplate/server/boot_error"

module Footplate
  module Server
    class Bench
      ##
      # One worker process of one engine, in a folder of its own: this same front door, or the installed Sidekiq.
      class Contender
        TITLES = { footplate: "Footplate", sidekiq: "Sidekiq" }.freeze
        STARTS_WITHIN = 60
        # Seconds from one look for a report to the next. Each takes the worker's processor away from it for a moment.
        LOOK = 0.05
        STOPS_WITHIN = 15
        # The environment of a service is not theirs.
        CLEAN = %w[NOTIFY_SOCKET WATCHDOG_USEC WATCHDOG_PID DEBUG_INVOCATION REDIS_PROVIDER]
                .to_h { |name| [name, nil] }.freeze

        attr_reader :engine, :threads

        def initialize(engine, ground:, threads:, environment:)
          @engine = engine
          @ground = ground
          @threads = threads
          @environment = environment
        end

        def title
          TITLES.fetch(engine)
        end

        # @param jobs [Integer] how many no-ops it will be given
        def start(jobs)
          @dir = Dir.mktmpdir("footplate-bench")
          settings = { jobs: jobs, redis: options }
          File.write(File.join(@dir, "settings"), JSON.generate(settings), perm: 0o600)
          # Not in our group: Ctrl-C on the terminal is for us, who then stop it in good order.
          stdin, @leash = IO.pipe
          @pid = Process.spawn(env, *command, chdir: @dir, in: stdin, out: log, err: %i[child out], pgroup: true)
          stdin.close
        end

        # What it wrote under this name, which it does within `seconds` or never.
        # @raise [BootError]
        def report(name, seconds)
          path = File.join(@dir, name)
          deadline = Limits.now + seconds
          until File.exist?(path)
            late = Limits.now > deadline
            raise BootError, "#{title} has not come to its #{name} within #{seconds} s: #{last_words}" if late
            # It may have done it and ended since we looked.
            raise BootError, "#{title} ended before its #{name}: #{last_words}" if ended? && !File.exist?(path)

            sleep LOOK
          end
          JSON.parse(File.read(path), symbolize_names: true)
        end

        # As an operator stops it; when it does not, by force.
        def stop
          return if @pid.nil? || ended?

          signal(:TERM)
          deadline = Limits.now + STOPS_WITHIN
          sleep 0.01 until ended? || Limits.now > deadline
          kill unless ended?
        end

        # A second signal to us must not leave it running.
        def discard
          stop
        ensure
          kill unless @pid.nil? || ended?
          @ground.remember(identity)
          @leash&.close
          FileUtils.rm_rf(@dir) if @dir
        end

        private

        # Of a Sidekiq, which is a member of the application's set of processes soon after it has told us.
        def identity
          hello = File.join(@dir.to_s, "hello")
          JSON.parse(File.read(hello))["identity"] if engine == :sidekiq && @dir && File.exist?(hello)
        end

        def options
          namespace = @ground.namespace
          engine == :sidekiq && namespace ? @ground.options.merge(namespace: namespace) : @ground.options
        end

        def env
          CLEAN.merge("FOOTPLATE_BENCH" => @dir, "FOOTPLATE_BENCH_PREFIX" => @ground.prefix)
        end

        def command
          [*Programs.public_send(engine), "-r", File.join(__dir__, "worker.rb"), "-e", @environment,
           "-c", threads.to_s, "-q", @ground.name, "-t", "5"]
        end

        def kill
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

        def log
          File.join(@dir, "log")
        end

        def last_words
          lines = File.read(log, encoding: "UTF-8").scrub.lines(chomp: true).reject(&:empty?)
          lines.reverse.find { |line| line.start_with?("footplate: ") }&.delete_prefix("footplate: ") || lines.last ||
            "it said nothing"
        end
      end
    end
  end
end
