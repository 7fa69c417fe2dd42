# frozen_string_literal: true

require "fileutils"
require "socket"
require_relative "child"
require_relative "redis_server"
require_relative "progress"
require_relative "patience"
require_relative "open_house"
require_relative "shop"

module Demo
  # One run from an empty ledger to the summary. Owns every process it starts and ends them on every way out.
  class Run
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
      @guest = ENV.key?("REDIS_URL") # in somebody's Redis: no job of ours may stay there
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
      @progress.step("The application, a small shop, runs on #{@books.versions}.")
    end

    def enqueue_backlog
      started = Demo.now
      @enqueuer = Enqueuer.new
      @enqueuer.backlog
      @progress.step(format("Enqueued %<jobs>s jobs in %<s>.1f s by %<how>s.",
                            jobs: Demo.number(@books.expected), s: Demo.now - started, how: @enqueuer.ways.join(", ")))
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
      patience = Patience.new(@books, @server, @progress)
      begun = Demo.now
      jobs = @books.expected - @books.done
      @pace = { jobs:, seconds: patience.until_ended(@books.expected) - begun }
      enqueue_the_difficult
      patience.until_ended(@books.expected)
      @registered = @books.process(@server.pid)
    end

    def enqueue_the_difficult
      before = @books.expected
      @enqueuer.live
      more = Demo.number(@books.expected - before)
      @progress.step("Enqueued #{more} more, with the server at work: for later, failing once, failing for good.")
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
      @out.puts("Logs: target/demo/log. With its dashboard: bin/demo --keep") unless @keep
      problems.empty? ? 0 : 1
    end

    def log(name)
      File.join(@logs, "#{name}.log")
    end

    def clean_up
      %w[INT TERM HUP].each { |name| trap(name, "IGNORE") }
      @children.reverse_each(&:stop)
      leave if @guest
      @progress.finish
    rescue Errno::EPIPE
      nil
    end

    def leave
      @books&.clear
    rescue StandardError => e
      warn "The demo's jobs could not be removed from #{ENV.fetch("REDIS_URL")}: #{e.message}"
    end
  end
end
