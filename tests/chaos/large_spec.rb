# frozen_string_literal: true

require_relative "support/chaos"

# Large payloads stand beside the in-flight table, each in a list of its own: nothing that hurts may part them.
RSpec.describe "large payloads" do
  include Chaos

  let(:padding) { "x" * 100_000 }

  # Every third is small.
  def job(class_name, id, *args)
    id % 3 == 1 ? payload(class_name, id, *args) : payload(class_name, id, *args, padding: padding)
  end

  def push_mixed(count)
    redis.push("default", Array.new(count) { |id| job("MarkingJob", id) })
  end

  def lists
    redis.keys("footplate:large:*")
  end

  def busy
    redis.call("SMEMBERS", "processes").sum { |identity| redis.call("HGET", identity, "busy").to_i }
  end

  def waiting
    redis.call("LRANGE", "queue:default", 0, -1).reverse
  end

  it "are neither lost nor left behind when processes die" do
    total = 1_500
    push_mixed(total)
    points = Array.new(5) { random.rand(total * 9 / 10) }.sort
    struck = points.sum do |point|
      server = self.server.start
      await_done(point)
      last(random.rand * 0.005)
      strike(server.kill)
    end
    server = self.server.start
    await_settled
    expect(struck).to be_positive
    expect_all_run(total)
    expect(server.stop.exitstatus).to eq(0)
    expect(lists).to eq([])
  end

  # What Redis writes to its append-only file of their way is not what the script did, but what came of it.
  it "come back with a Redis that crashes" do
    jobs = Array.new(12) { |id| job("GateJob", id, "gate") }
    redis.push("default", jobs)
    server = self.server(arguments: %w[-c 12]).start
    await_done(12)
    before = lists.sort
    # Some small ones among them went the same way.
    expect(before.size).to be >= 8
    redis.crash
    expect(lists.sort).to eq(before)
    held = strike(server.kill)
    expect(held).to eq(12)
    expect(redis.inflight.sort).to eq(jobs.sort)
    open_gate("gate")
    server = self.server.start
    await_settled
    expect_all_run(12)
    expect(server.stop.exitstatus).to eq(0)
    expect(lists).to eq([])
  end

  it "are drained from a Redis that is full" do
    push_mixed(300)
    redis.full do
      server = self.server.start
      await_done(300)
      await_settled
      expect(server.stop.exitstatus).to eq(0)
    end
    expect([processed, lists]).to eq([300, []])
  end

  it "go back in their order, as they were, when a process ends" do
    jobs = Array.new(20) { |id| job("MarkingJob", id, id < 2 ? 600 : 0) }
    redis.push("default", jobs)
    server = self.server(arguments: %w[-c 2 -t 1]).start
    eventually("two at work") { busy == 2 }
    expect(server.stop.exitstatus).to eq(0)
    expect(waiting).to match_array(jobs)
    expect(waiting.drop(2)).to eq(jobs.drop(2))
    expect([redis.inflight, lists]).to eq([[], []])
  end

  it "keep their bytes when they fail" do
    large = payload("GateJob", 1, "gate", "fails", padding: padding)
    broken = large.sub("\"retry\":true", "\"retry\":tru")
    open_gate("gate")
    redis.push("default", [large, large.sub(/\}\z/, ",\"last\":1}"), broken])
    server = self.server(arguments: %w[-c 1]).start
    eventually("all of them at their ends") { redis.call("ZCARD", "retry") + redis.call("ZCARD", "dead") == 3 }
    await_settled
    expect(redis.call("ZRANGE", "dead", 0, -1)).to eq([broken])
    expect(redis.call("ZRANGE", "retry", 0, -1)).to all(start_with(large.chomp("}")))
    expect(server.stop.exitstatus).to eq(0)
    expect(lists).to eq([])
  end
end
