# frozen_string_literal: true

require_relative "support/chaos"
require_relative "../../ruby/spec/support/installed_gems"

# A process whose lease is over, or may be.
RSpec.describe "a lease" do
  include Chaos

  # Of an application without the sidekiq gem, as whose newest generation it then counts, metrics included.
  def plain_server(**options)
    redis_gem = %w[redis-client redis].find { |name| InstalledGems.has?(name) }
    server(env: { "RUBYOPT" => "-rbundler/setup" }, **options)
      .tap { |it| File.write(File.join(it.dir, "Gemfile"), "gem #{redis_gem.inspect}\n") }
  end

  def lease_of(holder)
    redis.call("ZSCORE", "footplate:leases", holder)
  end

  # What the metrics of the minutes say; ten minutes have one digit, and the same again.
  def measured(field)
    redis.keys("j|*").grep(/:\d\d\z/).sum { |key| redis.call("HGET", key, field).to_i }
  end

  # A process with one worker and jobs that turn slow once many have been claimed ahead: they last for longer than the
  # lease does.
  def with_slow_jobs_ahead
    quick = 1_500
    total = quick + 24
    redis.push("default", Array.new(total) { |id| payload("MarkingJob", id, id < quick ? 0 : 0.15) })
    server = self.server(arguments: %w[-c 1], tuning: Chaos::TUNING.merge(prefetch_ms: 100)).start
    await_done(quick)
    # Quick ones that have run may still be on their way out.
    eventually("slow jobs claimed ahead, and no others", within: 5) do
      held = redis.inflight.map { |job| JSON.parse(job)["args"].first }
      held.size > 17 && held.min >= quick
    end
    [server, total]
  end

  it "that ended while its process was suspended lets nothing start that had been claimed ahead" do
    sleeper, total = with_slow_jobs_ahead
    sleeper.signal(:STOP)
    other = server.start
    eventually("a recovery of what it held", within: 20) { redis.inflight(":#{sleeper.pid}:").empty? }
    sleeper.signal(:CONT)
    eventually("its awakening") { sleeper.output.include?("lease lost") }
    await_settled
    expect([sleeper, other].map { |it| it.stop.exitstatus }).to eq([0, 0])
    # Only what was running when it fell asleep, or just ended.
    again = runs.values.sum { |times| times - 1 }
    expect([done, again <= 2]).to eq([total, true]), "#{again} jobs ran twice"
  end

  it "that is over by the process's own clock lets no job start, be it lost or not" do
    server, total = with_slow_jobs_ahead
    redis.hang do
      last(Chaos::TUNING[:lease_seconds] + 0.4)
      begun = done
      last(0.5)
      expect(done).to eq(begun)
    end
    await_settled
    expect(server.stop.exitstatus).to eq(0)
    expect(runs.values.uniq).to eq([1])
    expect([done, processed]).to eq([total, total])
  end

  # The same as if each lease had ended earlier.
  it "ends for nobody when Redis's clock steps on" do
    redis.push("default", Array.new(6) { |id| payload("GateJob", id, "gate") })
    fleet = Array.new(3) { server(arguments: %w[-c 2]).start }
    await_done(6)
    fleet.each(&:await_ready)
    # Until all of them have been connected for long enough to recover anybody.
    last(Chaos::TUNING[:lease_seconds] + 0.5)
    8.times do
      holders = redis.call("ZRANGE", "footplate:leases", 0, -1)
      redis.call("MULTI")
      holders.each { |holder| redis.call("ZINCRBY", "footplate:leases", -60, holder) }
      redis.call("EXEC")
      eventually("renewals") { redis.call("ZCOUNT", "footplate:leases", redis.call("TIME")[0], "+inf") == 3 }
    end
    open_gate("gate")
    await_settled
    expect(fleet.map { |server| server.stop.exitstatus }).to eq([0, 0, 0])
    expect(fleet.map(&:output).join).not_to match(/lease lost|recovered/)
    expect(runs).to eq((0..5).to_h { |id| [id, 1] })
  end

  # However far off the next renewal is.
  it "is taken anew at once when Redis comes back without its data" do
    server = self.server(tuning: { lease_seconds: 300 }).start.await_ready
    6.times do |id|
      redis.call("FLUSHALL")
      redis.push("default", [payload("MarkingJob", id)])
      await_done(id + 1, within: 5)
      # A holder's name may wait among the orphans for a lease's time, but no job of its.
      eventually("its end", within: 5) { redis.inflight.empty? && redis.keys("footplate:handoff:*").empty? }
    end
    expect(runs.values).to eq([1] * 6)
    expect(server.stop.exitstatus).to eq(0)
  end

  it "that was lost stops no heartbeat, and what could not be measured under it is written later, once" do
    redis.push("default", [payload("GateJob", 0, "gate")])
    server = plain_server(arguments: %w[-c 2], tuning: { lease_seconds: 3, beat_seconds: 0.5 }).start
    await_done(1)
    identity = redis.call("SMEMBERS", "processes").first
    # Just renewed: a heartbeat comes before the next renewal, and finds that it may not write what it measured.
    before = lease_of("#{identity}:1")
    eventually("a renewal") { lease_of("#{identity}:1") != before }
    redis.call("ZREM", "footplate:leases", "#{identity}:1")
    open_gate("gate")
    eventually("the loss to be noticed") { server.output.include?("lease lost") }
    3.times do
      last = redis.call("HGET", identity, "beat")
      eventually("another beat", within: 5) { redis.call("HGET", identity, "beat") != last }
    end
    redis.push("default", [payload("MarkingJob", 1)])
    await_done(2)
    await_settled
    expect(server.stop.exitstatus).to eq(0)
    expect(%w[GateJob|p MarkingJob|p].map { |field| measured(field) }).to eq([1, 1])
    expect([processed, runs.values]).to eq([2, [1, 1]])
  end

  # What dashboards show of it is written with each heartbeat.
  it "is not lost under the load of what runs, and the heartbeat neither keeps Redis nor says less of small jobs" do
    megabyte = "x" * 1_000_000
    small = payload("GateJob", 0, "gate")
    large = Array.new(20) { |id| payload("GateJob", id + 1, "gate", megabyte) }
    redis.push("default", [small, *large])
    # Microseconds. What it takes by itself is tested with the store; here the machine has much else to do.
    redis.call("CONFIG", "SET", "slowlog-log-slower-than", "20000", "slowlog-max-len", "1000")
    server = self.server(arguments: %w[-c 21]).start
    await_done(21)
    identity = redis.call("SMEMBERS", "processes").first
    shown = -> { redis.call("HVALS", "#{identity}:work").map { |entry| JSON.parse(JSON.parse(entry)["payload"]) } }
    eventually("all of them in the busy table") { shown.call.size == 21 }
    redis.call("SLOWLOG", "RESET")
    3.times do
      last = redis.call("HGET", identity, "beat")
      eventually("another beat") { redis.call("HGET", identity, "beat") != last }
    end
    slow = redis.call("SLOWLOG", "GET", 1_000).select { |entry| entry[3].include?("#{identity}:workers") }
    expect(slow).to eq([])
    names = %w[class jid queue]
    expect(shown.call.map { |job| job.values_at(*names) })
      .to match_array([small, *large].map { |job| JSON.parse(job).values_at(*names) })
    expect(shown.call.map { |job| job["args"] }).to include([0, "gate"], [/not shown: 1000\d+ bytes/])
    open_gate("gate")
    await_settled
    expect(server.stop.exitstatus).to eq(0)
    expect(server.output).not_to include("lease lost")
    expect(runs.values.uniq).to eq([1])
  end
end
