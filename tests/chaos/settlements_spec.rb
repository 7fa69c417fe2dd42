# frozen_string_literal: true

require_relative "support/chaos"

RSpec.describe "outcomes on their way to Redis" do
  include Chaos

  # How often Redis carried out a command, in scripts too.
  def calls(command)
    redis.call("INFO", "commandstats")[/^cmdstat_#{command}:calls=(\d+)/, 1].to_i
  end

  def ends(server)
    server.output.scan(/: (?:done|fail)$/).size
  end

  # Redis hangs while they end, one after the other, and finds them all when it is back.
  it "share their calls, however those of different kinds are mixed" do
    count = 24
    jobs = Array.new(count) { |id| payload("GateJob", id, "gate #{id}", id.odd? ? "fails" : "succeeds") }
    redis.push("default", jobs)
    server = self.server(arguments: ["-c", count.to_s]).start
    await_done(count)
    redis.call("CONFIG", "RESETSTAT")
    redis.hang do
      count.times do |id|
        open_gate("gate #{id}")
        eventually("the end of job #{id}") { ends(server) == id + 1 }
      end
    end
    await_settled
    # A call that acknowledges counts with two of them, one that settles failures with four; one call each, and a
    # few for the first and the last. One call for each would make 72.
    expect(calls("incrby")).to be_between(6, 24)
    expect([processed, failed, redis.call("ZCARD", "retry")]).to eq([count, count / 2, count / 2])
    expect(server.stop.exitstatus).to eq(0)
  end
end
