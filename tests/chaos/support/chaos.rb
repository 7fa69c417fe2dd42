# frozen_string_literal: true

require "digest"
require "json"
require "securerandom"
require_relative "../../support/own_redis"
require_relative "../../support/waiting"
require_relative "ledger"
require_relative "server_process"

##
# What the chaos examples share: their Redis, their ledger, their processes, and the account at the end.
module Chaos
  include Waiting

  APP = File.join(__dir__, "app.rb")
  # Recovery within seconds instead of tens of them.
  TUNING = { lease_seconds: 2, beat_seconds: 0.5 }.freeze
  JOBS = Integer(ENV.fetch("FOOTPLATE_CHAOS_JOBS", "20000"))
  SEED = Integer(ENV.fetch("FOOTPLATE_CHAOS_SEED", Random.new_seed % 1_000_000))

  attr_reader :redis, :ledger, :random

  def self.included(group)
    group.before do
      @random = Random.new(SEED)
      RSpec.configuration.reporter.message("    seed #{SEED} (FOOTPLATE_CHAOS_SEED replays it)")
      @redis = OwnRedis.durable
      @ledger = OwnRedis.start
      @servers = []
      # By the payload: how often a process had it that died, or lost its lease.
      @struck = Hash.new(0)
    end
    group.after do |example|
      warn(@servers.flat_map { |it| telling(it.output) }.join) if example.exception
      @servers.each(&:discard)
      [@redis, @ledger].each(&:stop)
    end
  end

  # What a process said besides its jobs' lines, and the last of those.
  def telling(output)
    lines = output.lines
    lines[...-15].to_a.grep_v(/\b(start|done|fail)$/).last(100) + lines.last(15)
  end

  def server(app: APP, arguments: %w[-c 5], env: {}, tuning: TUNING)
    ServerProcess.new(app: app, redis: redis, ledger: ledger, arguments: arguments, env: env, tuning: tuning)
                 .tap { |it| @servers << it }
  end

  def payload(class_name, *args, **more)
    JSON.generate({ "class" => class_name, "args" => args, "retry" => true, "queue" => "default",
                    "jid" => SecureRandom.hex(12), "created_at" => Time.now.to_f, "enqueued_at" => Time.now.to_f }
                  .merge(more.transform_keys(&:to_s)))
  end

  # Jobs 0...count, a few of which take some milliseconds.
  def push_marking(count, work: 0.02)
    jobs = Array.new(count) do |id|
      random.rand(200).zero? ? payload("MarkingJob", id, work) : payload("MarkingJob", id)
    end
    redis.push("default", jobs)
  end

  def runs
    ledger.call("HGETALL", "runs").each_slice(2).to_h { |id, count| [Integer(id), Integer(count)] }
  end

  def done
    ledger.call("HLEN", "runs")
  end

  def strike(payloads)
    payloads.each { |job| @struck[job] += 1 }
    payloads.size
  end

  # Until `count` distinct jobs have run.
  def await_done(count, within: 90)
    eventually("#{count} jobs in the ledger", within: within) { done >= count }
  end

  def await_settled(within: 90)
    eventually("nothing on its way", within: within) { redis.unfinished.zero? }
  end

  def processed
    redis.call("GET", "stat:processed").to_i
  end

  def failed
    redis.call("GET", "stat:failed").to_i
  end

  # Lets the GateJobs go on that wait for it.
  def open_gate(name)
    ledger.call("SET", name, "open")
  end

  # Every job ran; what a process had that died was brought back, and nothing else was; none ran more often than that.
  def expect_all_run(count)
    runs = self.runs
    expect((0...count).to_a - runs.keys).to eq([])
    expect(redis.recoveries).to eq(@struck.transform_keys { |job| Digest::SHA1.hexdigest(job) })
    struck = @struck.transform_keys { |job| JSON.parse(job)["args"].first }
    expect(runs.reject { |id, times| times <= 1 + struck.fetch(id, 0) }).to eq({})
    expect(redis.call("ZRANGE", "dead", 0, -1)).to eq([])
    expect(processed).to eq(count)
    RSpec.configuration.reporter.message("    struck #{struck.values.sum}, run again #{runs.values.sum - runs.size}")
  end
end
