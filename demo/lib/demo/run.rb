# frozen_string_literal: true

require "fileutils"
require "socket"
require_relative "child"
require_relative "redis_server"
require_relative "progress"
require_relative "open_house"
require_relative "shop"

module Demo
  # One run from an empty ledger to the summary. Owns every process it starts and ends them on every way out.
  class Run
    STALLED = 60 # seconds without a job done, after which we stop waiting
    SETTLED = 15 # seconds in which a running server must have written its counters (it does every 10 s)

    def initialize(target:, server:, keep: false, out: $stdout)
      @target = target
      @server_command = server
      @keep = keep
      @out = out
      @progress = Progress.new(out:)
      @children = []
    end

    # The exit status.
    def call
      prepare
      boot_application
      enqueue_backlog
      start_server
      work
      @keep ? settle : stop_server
      status = report
      OpenHouse.new(target: @target, server: @server, children: @children, out: @out).call if @keep
      @books.clear if @guest
      status
    ensure
      clean_up
    end

    private

    def prepare
      @logs = File.join(@target, "log")
      FileUtils.rm_rf(@logs)
      FileUtils.mkdir_p(@logs)
      Shop.settle_in(@target)
      @guest = ENV.key?("REDIS_URL") # in somebody's Redis: leave nothing behind
      return if @guest

      redis = RedisServer.new(log: log("redis"))
      @children << redis
      ENV["REDIS_URL"] = redis.url
    end

    def boot_application
      Shop.boot
      %w[books enqueuer summary].each { |file| require_relative file }
      @books = Books.new
      @books.clear
      @progress.step("The shop runs on #{@books.versions}.")
    end

    def enqueue_backlog
      started = Demo.now
      @enqueuer = Enqueuer.new
      @enqueuer.backlog
      @progress.step(format("Enqueued %<jobs>d jobs in %<s>.1f s by %<how>s.",
                            jobs: @books.expected, s: Demo.now - started, how: @enqueuer.ways.join(", ")))
    end

    def start_server
      command = ["bundle", "exec", *@server_command, "-C", "config/sidekiq.yml", "-e", "production", "-r", "."]
      started = Demo.now
      @server = Shop.spawn do |env|
        Child.new(@server_command.first, command, log: log("server"), chdir: Shop::APP, env:)
      end
      @children << @server
      @server.wait_until("entry in the process registry", seconds: 60) do
        @books.process(@server.pid) || @books.done.positive?
      end
      @progress.step(format("Started %<what>s (pid %<pid>d) in %<s>.1f s.",
                            what: @server_command.join(" "), pid: @server.pid, s: Demo.now - started))
    end

    def work
      begun = Demo.now
      jobs = @books.expected - @books.done
      @pace = { jobs:, seconds: wait_for(@books.expected) - begun }
      @enqueuer.live
      wait_for(@books.expected)
      @registered = @books.process(@server.pid)
    end

    # Until so many jobs ended, well or in the dead set. Returns when the last of them did.
    def wait_for(count)
      last = [-1, Demo.now]
      until (ended = @books.done + @books.dead_ids.size) >= count
        @server.check!
        last = [ended, Demo.now] if ended != last.first
        break @progress.step("No job ended for #{STALLED} s: waiting no longer.") if Demo.now - last.last > STALLED

        @progress.show("#{ended} of #{@books.expected} jobs done, #{@books.status}")
        sleep 0.03
      end
      ended < count ? last.last : Demo.now
    end

    def settle
      deadline = Demo.now + SETTLED
      sleep 0.1 until summary.problems.empty? || Demo.now > deadline
    end

    def stop_server
      @progress.finish
      @server.stop
    end

    def summary
      Summary.new(@books, pace: @pace)
    end

    def report
      @progress.finish
      result = summary
      problems = result.problems
      problems << "the process was not in Sidekiq's process registry" unless @registered
      problems << "the server ended with #{@server.outcome} after TERM" unless @keep || @server.status&.success?
      @out.puts("", result.to_s, "")
      @out.puts(problems.map { |problem| "Problem: #{problem}." })
      @out.puts(problems.empty? ? "Every job is accounted for." : @server.tail)
      problems.empty? ? 0 : 1
    end

    def log(name)
      File.join(@logs, "#{name}.log")
    end

    def clean_up
      %w[INT TERM HUP].each { |name| trap(name, "IGNORE") }
      @children.reverse_each(&:stop)
      @progress.finish
    rescue Errno::EPIPE
      nil
    end
  end
end
