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
    expect_all_run(total)
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

# Redis is gone when the end begins.
RSpec.describe "TERM while Redis is gone" do
  include Chaos

  def start_on(queue, *arguments)
    server(arguments: ["-c", "3", "-q", queue, *arguments]).start.await_ready
  end

  # @return [Array] exit status, how many seconds after the block began, and of how many jobs Redis has not heard
  def ending(server)
    from = now
    yield
    status = server.wait(within: 30).exitstatus
    unheard = server.output.scan(/Could not tell Redis what became of (\d+) job\(s\): recovery will run them again/)
    [status, now - from, unheard.flatten.map(&:to_i)]
  end

  it "ends an idle process soon, whether Redis says nothing, is not there, or wants another password" do
    hung, dead, denied = %w[hung dead denied].map { |queue| start_on(queue) }
    soon = [0, be < 2, []]
    redis.hang { expect(ending(hung) { hung.signal(:TERM) }).to match(soon) }
    redis.call("CONFIG", "SET", "requirepass", "another")
    redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    eventually("its complaint") { denied.output.include?("denies access") }
    expect(ending(denied) { denied.signal(:TERM) }).to match(soon)
    redis.crash { expect(ending(dead) { dead.signal(:TERM) }).to match(soon) }
  end

  it "ends any other by its timeout, or the second TERM, and tells of how many jobs Redis has not heard" do
    patient = start_on("patient", "-t", "4")
    hurried = start_on("hurried", "-t", "600")
    redis.push("patient", [payload("GateJob", 1, "gate"), payload("GateJob", 2, "gate", "fails")])
    redis.push("hurried", [payload("GateJob", 3, "never")])
    await_done(3)
    redis.crash do
      open_gate("gate")
      expect(ending(patient) { patient.signal(:TERM) }).to match([1, be_between(3.5, 7), [2]])
      hurried.signal(:TERM)
      eventually("the first TERM to be heard") { hurried.output.include?("Pausing to allow jobs to finish") }
      expect(ending(hurried) { hurried.signal(:TERM) }).to match([1, be < 4, [1]])
    end
    open_gate("never")
    heir = server(arguments: %w[-q patient -q hurried]).start
    eventually("all of them again") { runs.values_at(1, 2, 3) == [2, 2, 2] }
    await_settled
    expect(heir.stop.exitstatus).to eq(0)
  end

  it "waits for a Redis that comes back in time" do
    server = start_on("default", "-t", "20")
    redis.push("default", [payload("GateJob", 1, "gate")])
    await_done(1)
    redis.crash do
      open_gate("gate")
      server.signal(:TERM)
      eventually("its word that it waits", within: 15) do
        server.output.include?("Waiting for Redis to hear of the last 1")
      end
    end
    expect(ending(server) { nil }.values_at(0, 2)).to eq([0, []])
    expect([processed, runs]).to eq([1, { 1 => 1 }])
  end
end
