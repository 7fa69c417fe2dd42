# frozen_string_literal: true

require "digest"
require_relative "support/chaos"

# Jobs that attack what runs them. The others survive.
RSpec.describe "poisonous jobs" do
  include Chaos

  bystanders = 300

  # Bystanders 1...n with the poison, job 0, among them.
  def push_among(count, *poison)
    jobs = Array.new(count) { |n| payload("MarkingJob", n + 1) }
    redis.push("default", jobs.insert(count / 2, *poison))
  end

  def poisoned_server
    server(env: { "POISON" => "1" })
  end

  def entries(set)
    redis.call("ZRANGE", set, 0, -1).map { |job| JSON.parse(job) }
  end

  def expect_bystanders(count)
    runs = self.runs.reject { |id, _| id.zero? }
    expect((1..count).to_a - runs.keys).to eq([])
    runs
  end

  # A supervisor's work: whenever one has died, it is started again.
  def keep_alive(*servers)
    eventually("an end", within: 120) do
      servers.each { |server| server.start unless server.alive? }
      redis.unfinished.zero?
    end
    servers.each(&:await_ready)
  end

  { "segfault" => "a segmentation fault", "exit!" => "exit!", "kill" => "SIGKILL" }.each do |way, name|
    it "buries a job whose process ended three times by #{name}, and no other" do
      push_among(bystanders, payload("PoisonJob", 0, way))
      server = poisoned_server
      keep_alive(server)
      expect(server.stop.exitstatus).to eq(0)
      expect(runs[0]).to eq(3)
      dead = entries("dead")
      expect(dead.map { |job| job["args"] }).to eq([[0, way]])
      expect(dead.first).to include("error_class" => "Footplate::PoisonPill", "error_message" => /died 3 times/)
      expect_bystanders(bystanders)
      # Nobody saw it fail: a pill is in the dead set and in no counter.
      expect([processed, failed]).to eq([bystanders, 0])
    end
  end

  it "buries several of them, and no other, in a fleet of processes" do
    push_among(bystanders, *%w[segfault exit! kill].map { |way| payload("PoisonJob", 0, way) })
    fleet = Array.new(2) { poisoned_server }
    keep_alive(*fleet)
    expect(fleet.map { |server| server.stop.exitstatus }).to eq([0, 0])
    expect(entries("dead").map { |job| job["args"][1] }).to match_array(%w[segfault exit! kill])
    expect_bystanders(bystanders)
    expect([processed, failed]).to eq([bystanders, 0])
  end

  # The third process in which a killer runs may have others in it, fresh killers too: only who was alone is to blame.
  it "buries no bystander in a rough fleet, however many killers there are" do
    killers = Array.new(8) { |n| payload("PoisonJob", -1 - n, %w[exit! kill][n % 2]) }
    others = Array.new(60) { |n| payload("MarkingJob", n + 1, 0.3) }
    redis.push("default", (killers + others).shuffle(random: random))
    fleet = Array.new(2) { poisoned_server }
    keep_alive(*fleet)
    expect(fleet.map { |server| server.stop.exitstatus }).to eq([0, 0])
    expect(entries("dead").map { |job| job["args"][0] }.sort).to eq((-8..-1).to_a)
    expect((1..60).to_a - runs.keys).to eq([])
  end

  it "lets others run while a queue begins with any number of suspects" do
    suspects = Array.new(120) { |n| payload("MarkingJob", 1_000 + n, 1) }
    hashes = suspects.map { |job| Digest::SHA1.hexdigest(job) }
    redis.call("SADD", "footplate:trials", *hashes)
    redis.call("SET", "footplate:suspects", "x", "EX", 300)
    hashes.each { |hash| redis.call("SET", "footplate:recovered:#{hash}", 2) }
    redis.push("default", suspects + Array.new(30) { |n| payload("MarkingJob", n, 0.05) })
    server(arguments: %w[-c 10]).start
    eventually("the others", within: 60) { runs.keys.count { |id| id < 30 } == 30 }
    expect(runs.keys.count { |id| id >= 1_000 }).to be_between(1, 60)
  end

  # What Sidekiq makes of them: an error like any other. Only the killed thread would lose its job there.
  errors = {
    "abort" => "SystemExit", "exit" => "SystemExit", "exception" => "Exception", "throw" => "UncaughtThrowError",
    "stack" => "SystemStackError", "thread raise" => "Interrupt", "thread kill" => "Footplate::JobKilled"
  }

  it "takes what ends a thread for an error, and goes on with the same process" do
    poison = errors.keys.map { |way| payload("PoisonJob", 0, way) }
    push_among(bystanders, *poison)
    server = poisoned_server.start
    pid = server.pid
    await_settled
    expect(server.alive? && server.pid).to eq(pid)
    retried = entries("retry").to_h { |job| [job["args"][1], job["error_class"]] }
    expect(retried).to eq(errors)
    expect(expect_bystanders(bystanders).values.uniq).to eq([1])
    # As many workers as before: each of them can still take a job.
    redis.push("default", Array.new(50) { |n| payload("MarkingJob", 1_000 + n, 0.01) })
    await_done(bystanders + 51)
    expect(server.stop.exitstatus).to eq(0)
    expect(processed).to eq(bystanders + errors.size + 50)
  end

  ["fork", "fork and exit", "fork and raise", "fork and return"].each do |way|
    it "goes on when a job does: #{way}" do
      push_among(bystanders, payload("PoisonJob", 0, way))
      server = poisoned_server.start
      await_settled
      expect(server.alive?).to be(true)
      expect(expect_bystanders(bystanders).values.uniq).to eq([1])
      expect([processed, entries("retry"), entries("dead")]).to eq([bystanders + 1, [], []])
      expect(server.stop.exitstatus).to eq(0)
    end
  end

  it "does not take a signal to a job's child for one to itself" do
    redis.push("default", [payload("PoisonJob", 0, "fork and terminate")])
    server = poisoned_server.start
    eventually("the child's end", within: 15) { ledger.call("LLEN", "children") == 1 }
    expect(ledger.call("LINDEX", "children", 0)).to eq(Signal.list.fetch("TERM").to_s)
    redis.push("default", [payload("MarkingJob", 1)])
    await_done(2)
    await_settled
    expect(server.alive?).to be(true)
    expect(server.output).not_to include("Shutting down")
    expect(server.stop.exitstatus).to eq(0)
    expect([processed, failed]).to eq([2, 0])
  end

  { "child raises" => "status 1", "child exits" => "status 7",
    "child is signalled" => "signal #{Signal.list.fetch("TERM")}" }.each do |way, ending|
    it "is no end of the job, when a #{way}, and its parent sees how it ended" do
      # The second one runs by way of Ruby, the first does not.
      job = payload("PoisonJob", 0, way)
      redis.push("default", [job, JSON.generate(JSON.parse(job).merge("jid" => "b" * 24, "log_level" => "info"))])
      server = poisoned_server.start
      await_settled
      expect(ledger.call("LRANGE", "children", 0, -1)).to eq([ending] * 2)
      expect(server.output).not_to match(/\bfail\b/)
      expect(server.stop.exitstatus).to eq(0)
      expect([processed, failed, entries("retry"), entries("dead")]).to eq([2, 0, [], []])
    end
  end

  it "keeps lease, beat and registry alive while a job holds the GVL, and gives back what it cannot run" do
    redis.push("default", [payload("PoisonJob", 0, "hold")])
    holding = poisoned_server.start
    eventually("a held GVL") { ledger.call("LLEN", "holding") == 1 }
    # Threads of the process wait for some: it claims them, and cannot start them.
    redis.push("default", Array.new(20) { |n| payload("MarkingJob", n + 1) })
    identity = redis.call("SMEMBERS", "processes").first
    4.times do
      last = redis.call("HGET", identity, "beat")
      eventually("another beat", within: 3) { redis.call("HGET", identity, "beat") != last }
    end
    expect(ledger.call("LLEN", "holding")).to eq(1)
    expect(redis.call("HGET", identity, "busy")).to eq("1")
    other = poisoned_server.start
    await_done(21)
    expect(ledger.call("LLEN", "holding")).to eq(1)
    await_settled
    expect([holding, other].map { |server| server.stop.exitstatus }).to eq([0, 0])
    expect(holding.output).not_to include("lease lost")
    expect(runs.values.uniq).to eq([1])
  end
end
