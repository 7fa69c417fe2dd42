# frozen_string_literal: true

require_relative "support/chaos"

# A right that is withdrawn while jobs run: what cannot be done as a whole is not done, and nothing runs twice.
RSpec.describe "a right withdrawn" do
  include Chaos

  # Without the right, until the process has complained of it. What the block does is done then.
  def without(right, server)
    said = server.output.scan("NOPERM").size
    redis.call("ACL", "SETUSER", "default", "-#{right}")
    yield
    eventually("its complaint", within: 20) { server.output.scan("NOPERM").size > said }
    # As often as it is tried meanwhile.
    last(0.5)
    redis.call("ACL", "SETUSER", "default", "+#{right}")
  end

  it "makes no job run twice, and none be lost" do
    server = self.server(arguments: %w[-c 5 -t 1]).start.await_ready
    eventually("somebody waiting") { redis.call("CLIENT", "LIST").include?("cmd=blmove") }
    # Handed over, and not to be taken from the list.
    without("rpop", server) do
      redis.push("default", [payload("MarkingJob", 1)])
      await_done(1)
    end
    # Due, and not to be taken from its set.
    without("zrem", server) { redis.call("ZADD", "retry", Time.now.to_f, payload("MarkingJob", 2)) }
    await_done(2)
    # Done, and not to be taken from the table; nor is what runs when the process ends.
    redis.push("default", [payload("GateJob", 3, "gate"), payload("MarkingJob", 4)])
    await_done(4)
    without("hdel", server) do
      redis.push("default", [payload("MarkingJob", 5)])
      await_done(5)
      server.signal(:TERM)
    end
    expect(server.wait.exitstatus).to eq(0).or eq(1)
    open_gate("gate")
    other = self.server.start
    await_settled
    expect(other.stop.exitstatus).to eq(0)
    expect(runs.except(3)).to eq(1 => 1, 2 => 1, 4 => 1, 5 => 1)
    expect(runs[3]).to eq(2)
    expect(redis.keys("footplate:inflight:*")).to eq([])
  end
end
