# frozen_string_literal: true

require_relative "support/chaos"

# Redis in trouble while jobs run: nothing is missing, nothing runs twice unless a lease was lost, nothing is
# counted twice, and the process that went through it goes on.
RSpec.describe "Redis in trouble" do
  include Chaos

  count = 3_000

  before do
    redis.push("default", Array.new(count) { |id| payload("MarkingJob", id, 0.002) })
  end

  # Runs the jobs, and calls the block when a part of them has run.
  def run_through(count, processes: 1)
    servers = Array.new(processes) { server.start }
    servers.each(&:await_ready)
    await_done(count / 6)
    yield
    await_settled
    expect(servers.map { |it| it.stop.exitstatus }.uniq).to eq([0])
    expect_accounts(servers, count)
  end

  def expect_accounts(servers, count)
    runs = self.runs
    lost = servers.sum { |server| server.output.scan("lease lost").size }
    again = runs.count { |_, times| times > 1 }
    RSpec.configuration.reporter.message("    leases lost #{lost}, run again #{again}")
    expect((0...count).to_a - runs.keys).to eq([])
    # There is nobody who could take it over.
    expect(lost).to eq(0) if servers.one?
    expect(again).to eq(0) if lost.zero?
    # Nor does anybody say so when only a reply was lost.
    expect(servers.map(&:output).join).not_to include("taken over") if lost.zero?
    expect(runs.values.max).to be <= 2
    expect([processed, redis.call("ZCARD", "dead"), redis.call("ZCARD", "retry")]).to eq([count, 0, 0])
  end

  # @param times [Integer] in so many steps through the jobs
  def at_steps(count, times)
    times.times do |step|
      await_done([(count / 6) + (step * count / 2 / times), count].min)
      yield
    end
  end

  it "hangs for longer than a lease" do
    run_through(count) { redis.hang { last(3) } }
  end

  it "hangs for longer than a lease under several processes" do
    run_through(count, processes: 3) { redis.hang { last(3) } }
  end

  it "is killed and starts again from its append-only file" do
    run_through(count) { 3.times { |n| await_done((n + 2) * count / 6) && redis.crash } }
  end

  it "is away for a while" do
    run_through(count, processes: 2) { redis.crash { last(4) } }
  end

  it "ends all connections, again and again" do
    run_through(count) { at_steps(count, 20) { redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes") } }
  end

  it "forgets all scripts, again and again" do
    run_through(count) { at_steps(count, 20) { redis.call("SCRIPT", "FLUSH") } }
  end

  it "becomes a replica, and the primary again" do
    run_through(count) { redis.read_only { last(2.5) } }
  end

  it "is full for a while" do
    run_through(count) { redis.full { last(1) } }
  end
end
