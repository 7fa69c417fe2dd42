# frozen_string_literal: true

require_relative "support/chaos"

# SIGKILL in the middle of many jobs: none is missing, and only what was in flight runs again.
RSpec.describe "SIGKILL while jobs run" do
  include Chaos

  # Kills after a seeded number of jobs, and a seeded moment later.
  def kill_after(server, count)
    await_done(count)
    last(random.rand * 0.003)
    strike(server.kill)
  end

  def kill_while_stopping(server, count)
    await_done(count)
    server.signal(:TERM)
    eventually("its shutdown") { server.output.include?("Shutting down") || !server.alive? }
    last(random.rand * 0.01)
    strike(server.kill)
  end

  # Its first step makes orphans, its next ones bring jobs back: it may be over the orphans before one sees them.
  def kill_while_recovering(server)
    brought_back = redis.recoveries.size
    eventually("a recovery", within: 20, look: 0) do
      redis.call("EXISTS", "footplate:orphans") == 1 || redis.recoveries.size > brought_back
    end
    last(random.rand * 0.002)
    strike(server.kill)
  end

  def points(count)
    Array.new(count) { random.rand(Chaos::JOBS * 9 / 10) }.sort
  end

  it "loses none when one process dies again and again, in its shutdown and its recovery too" do
    push_marking(Chaos::JOBS)
    server = self.server
    struck = points(6).each_with_index.map do |point, kill|
      server.start
      kill == 3 ? kill_while_stopping(server, point) : kill_after(server, point)
    end
    server.start
    struck << kill_while_recovering(server)
    server.start
    await_settled
    server.stop
    expect(struck.sum).to be_positive
    expect_all_run(Chaos::JOBS)
  end

  it "loses none when some of several processes die, and the others recover" do
    push_marking(Chaos::JOBS)
    servers = Array.new(3) { server.start }
    servers.each(&:await_ready)
    struck = points(5).map do |point|
      victim = servers.sample(random: random)
      kill_after(victim, point).tap { victim.start }
    end
    last_one = servers.sample(random: random)
    await_done(Chaos::JOBS * 95 / 100)
    struck << strike(last_one.kill)
    await_settled
    expect(struck.sum).to be_positive
    expect_all_run(Chaos::JOBS)
  end

  it "fences a process that slept for longer than its lease" do
    push_marking(Chaos::JOBS)
    servers = Array.new(2) { server.start }
    servers.each(&:await_ready)
    await_done(Chaos::JOBS / 4)
    sleeper = servers.sample(random: random)
    sleeper.suspend
    expect(strike(sleeper.held)).to be_positive
    eventually("a recovery of what it held") { redis.inflight(":#{sleeper.pid}:").empty? }
    sleeper.signal(:CONT)
    eventually("its awakening") { sleeper.output.include?("lease lost") }
    await_settled
    # It goes on under a new lease.
    servers.reject { |it| it == sleeper }.each { |other| expect(other.stop.exitstatus).to eq(0) }
    redis.push("default", [payload("MarkingJob", Chaos::JOBS)])
    await_done(Chaos::JOBS + 1)
    expect(sleeper.stop.exitstatus).to eq(0)
    expect_all_run(Chaos::JOBS + 1)
    # Redis's patterns know no alternatives.
    expect(%w[inflight leases orphans].flat_map { |name| redis.keys("footplate:#{name}*") }).to eq([])
  end
end
