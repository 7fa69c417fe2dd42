# frozen_string_literal: true

require_relative "support/chaos"

# TERM at any moment: what has not run is where it was, what has run is counted, and the end comes soon.
RSpec.describe "TERM while jobs run" do
  include Chaos

  it "ends soon when the last jobs have just ended" do
    count = 0
    5.times do
      server = self.server(arguments: %w[-c 3]).start.await_ready
      redis.push("default", Array.new(300) { payload("MarkingJob", count += 1) })
      await_done(count)
      last(random.rand * 0.002)
      server.signal(:TERM)
      expect(server.wait(within: 10).to_s).to end_with("exit 0")
      expect([processed, redis.unfinished]).to eq([count, 0])
    end
  end

  it "runs each job once over many restarts" do
    total = Chaos::JOBS / 4
    push_marking(total)
    points = Array.new(5) { random.rand(total * 9 / 10) }.sort
    points.each do |point|
      server = self.server.start.await_ready
      await_done(point)
      last(random.rand * 0.01)
      expect(server.stop.to_s).to end_with("exit 0")
      expect(redis.inflight).to eq([])
    end
    server = self.server.start.await_ready
    await_settled
    expect(server.stop.to_s).to end_with("exit 0")
    expect(expect_all_run(total)).to eq(0)
  end

  # The deadline is a second: what the interruption finds goes back, to the front of its queue, and runs again.
  it "gives back what does not end in time, and starts it first the next time" do
    jobs = Array.new(23) { |id| payload("MarkingJob", id, id < 3 ? 600 : 0) }
    redis.push("default", jobs)
    server = self.server(arguments: %w[-c 3 -t 1]).start
    # A claimed job is not yet one that runs.
    eventually("three jobs at work") do
      redis.call("SMEMBERS", "processes").any? { |identity| redis.call("HGET", identity, "busy") == "3" }
    end
    expect(server.stop.to_s).to end_with("exit 0")
    expect(done).to eq(0)
    waiting = redis.call("LRANGE", "queue:default", 0, -1).reverse.map { |job| JSON.parse(job)["args"][0] }
    expect(waiting.first(3).sort).to eq([0, 1, 2])
    expect(waiting.drop(3)).to eq((3..22).to_a)
    expect(processed).to eq(3)
  end
end
