# frozen_string_literal: true

# The application that both engines run while `footplate bench` measures: its jobs count in memory, and tell the
# parent by files in the folder FOOTPLATE_BENCH.
require "json"

##
# What ran here. One addition per no-op: it must cost next to nothing, since a no-op costs next to nothing.
module FootplateBench
  PATIENCE = 10

  class << self
    attr_reader :runs, :waits

    def begin(settings)
      @runs = Array.new(settings.fetch(:jobs), 0)
      @waits = []
      pid = Process.pid
      at_exit { tell("ledger", delivery) if Process.pid == pid }
      Thread.new { leash(pid) }
    end

    # The parent holds the other end of standard input: a worker must not outlive it, whatever Redis does.
    def leash(pid)
      $stdin.read
      Process.kill(:TERM, pid)
      sleep PATIENCE
      Process.kill(:KILL, pid)
    end

    # @param done [#call] how many have run
    def tell_once(name, count, done)
      deadline = now + PATIENCE
      sleep 0.000_5 while done.call < count && now < deadline
      tell(name, { at: now, waits: name == "latency" ? waits : [] })
    end

    # Whoever waits for the file finds all of it.
    def tell(name, content)
      path = File.join(ENV.fetch("FOOTPLATE_BENCH"), name)
      File.write("#{path}.new", JSON.generate(content))
      File.rename("#{path}.new", path)
    end

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end

    private

    def delivery
      { missing: runs.count(0), doubled: runs.count { |count| count > 1 } }
    end
  end
end

FootplateBench::JOB = [defined?(Sidekiq::Job) && Sidekiq::Job, defined?(Sidekiq::Worker) && Sidekiq::Worker,
                       defined?(Footplate::Job) && Footplate::Job].find(&:itself)

class FootplateBenchNoop
  include FootplateBench::JOB

  def perform(number, _float)
    FootplateBench.runs[number] += 1
  end
end

class FootplateBenchLatency
  include FootplateBench::JOB

  def perform(pushed)
    FootplateBench.waits << (FootplateBench.now - pushed)
  end
end

class FootplateBenchMark
  include FootplateBench::JOB

  DONE = {
    "ready" => -> { Thread.list.size },
    "latency" => -> { FootplateBench.waits.size },
    "end" => -> { FootplateBench.runs.size - FootplateBench.runs.count(0) }
  }.freeze

  def perform(name, count)
    FootplateBench.tell_once(name, count, DONE.fetch(name))
  end
end

settings = JSON.parse(File.read(File.join(ENV.fetch("FOOTPLATE_BENCH"), "settings")), symbolize_names: true)
if defined?(Sidekiq)
  Sidekiq.configure_server do |config|
    config.redis = settings.fetch(:redis)
    config.logger.level = Logger::ERROR
  end
else
  Footplate.configure { |config| config.redis = settings.fetch(:redis) }
end
require_relative(defined?(Footplate::Server::Host) ? "aside" : "discreet_sidekiq")
FootplateBench.begin(settings)
FootplateBench.tell("hello", { identity: defined?(Sidekiq::CLI) ? Sidekiq::CLI.instance.identity : nil })
