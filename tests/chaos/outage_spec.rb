# frozen_string_literal: true

require_relative "support/chaos"

# What a process says of an outage, and of the next one.
RSpec.describe "an outage" do
  include Chaos

  def complaints(server)
    server.output.scan(/ERROR.*?: cannot ([^:]+):/).flatten
  end

  it "is over, and the next is told of, when somebody else has done what failed in it" do
    server = self.server.start.await_ready
    dead = "gone:1:0123456789ab:1"
    redis.call("ACL", "SETUSER", "default", "-hkeys")
    redis.call("HSET", "footplate:inflight:#{dead}", "1:queue:default", payload("MarkingJob", 1))
    redis.call("ZADD", "footplate:leases", 1, dead)
    eventually("its complaint") { complaints(server) == ["recover jobs"] }
    redis.call("DEL", "footplate:inflight:#{dead}")
    redis.call("ZREM", "footplate:orphans", dead)
    redis.call("ACL", "SETUSER", "default", "+hkeys")
    eventually("the end of it") { server.output.include?("Redis is online") }
    redis.hang { eventually("another complaint", within: 15) { complaints(server).size == 2 } }
    expect(server.stop.exitstatus).to eq(0)
  end
end
