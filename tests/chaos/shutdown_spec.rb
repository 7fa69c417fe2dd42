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

  # Ruby kills the other threads along with it. A job without retries has nothing else to come back by.
  it "is not waited for when something else ends the main thread: what runs goes back" do
    jobs = [payload("GateJob", 1, "closed", retry: false), payload("PoisonJob", 0, "main thread raise", retry: false)]
    server = self.server(arguments: %w[-c 2], env: { "POISON" => "1" }).start
    jobs.each { |job| redis.push("default", [job]) && await_done(1) }
    expect(server.wait(within: 15).exitstatus).to eq(1)
    expect(redis.call("LRANGE", "queue:default", 0, -1)).to match_array(jobs)
    expect(redis.inflight).to eq([])
    expect([redis.call("ZCARD", "retry"), redis.call("ZCARD", "dead")]).to eq([0, 0])
  end

  # Not only once the fetcher's patience with its workers ends, which doubles with each time that it was in vain.
  it "TSTP returns at once what waits for workers that are held up" do
    quick = ->(ids) { ids.map { |id| payload("MarkingJob", id) } }
    redis.push("default", [*quick.call(1..1_500), payload("GateJob", 0, "first"), *quick.call(2_001..3_500),
                           payload("GateJob", -1, "second"), *quick.call(4_001..4_500)])
    server = self.server(arguments: %w[-c 1]).start
    await_done(1_501)
    eventually("the end of its patience") { redis.inflight.size == 1 }
    open_gate("first")
    await_done(3_002)
    eventually("jobs claimed ahead") { redis.inflight.size > 1 }
    server.signal(:TSTP)
    eventually("quiet") { server.output.include?("Received TSTP") }
    eventually("the return of what was claimed ahead", within: 1.5) { redis.inflight.size == 1 }
    open_gate("second")
    expect(server.stop.exitstatus).to eq(0)
    waiting = redis.call("LRANGE", "queue:default", 0, -1).reverse.map { |it| JSON.parse(it)["args"][0] }
    expect(waiting).to eq((4_001..4_500).to_a)
    expect(runs.values.uniq).to eq([1])
  end
end
