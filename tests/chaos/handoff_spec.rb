# frozen_string_literal: true

require_relative "support/chaos"

# Jobs that come by hand-off: BLMOVE takes a job whatever the claims' rules are, and whether its client still listens
# or not.
RSpec.describe "Hand-off" do
  include Chaos

  long = 20 # seconds that a job takes which must not end during an example

  def idle_server(**options)
    server(**options).start.tap { |it| it.await_ready && await_waiting(it) }
  end

  def await_waiting(*servers, count: 1)
    eventually("#{count} waiting\n#{servers.map(&:output).join}") { waiting.size == count }
  end

  # The clients that wait for a job.
  def waiting
    redis.call("CLIENT", "LIST").lines.grep(/ flags=\w*b\w* .* cmd=blmove /).map { |line| line[/\bid=(\d+)/, 1] }
  end

  def push(*ids, work: 0)
    redis.push("default", ids.map { |id| payload("MarkingJob", id, work) })
  end

  # Moves the next job to where BLMOVE would have, had its client been there still. `first`: in the same instant.
  def strand(*first)
    lists = redis.call("ZRANGE", "footplate:handoffs", 0, -1).map { |it| "footplate:handoff:#{it.tr("\n", ":")}" }
    redis.call("MULTI")
    first.each { |command| redis.call(*command) }
    redis.call("LMOVE", "queue:default", lists.last, "RIGHT", "LEFT")
    redis.call("EXEC")
  end

  it "does not let one job bring down a whole idle fleet" do
    fleet = Array.new(5) { server(env: { "POISON" => "1" }).start }
    fleet.each(&:await_ready)
    await_waiting(*fleet, count: fleet.size)
    redis.push("default", [payload("PoisonJob", 0, "kill")])
    eventually("a burial", within: 30) { redis.call("ZCARD", "dead") == 1 }
    expect(runs).to eq(0 => 3)
    expect(fleet.count(&:alive?)).to eq(2)
  end

  # Redis is told to keep what is handed over from the table: elsewhere that takes as long as a busy disk does.
  it "brings a job back that ran before it was in the table, when its process dies" do
    server = idle_server
    redis.call("ACL", "SETUSER", "default", "-rpop")
    push(0) && await_done(1)
    expect(redis.inflight).to eq([])
    expect(strike(server.kill)).to eq(1)
    redis.call("ACL", "SETUSER", "default", "+rpop")
    other = self.server.start
    await_settled
    expect(other.stop.exitstatus).to eq(0)
    expect(runs).to eq(0 => 2)
    expect_all_run(1)
  end

  it "ends with the lease in whose name it waits" do
    sleeper = idle_server
    sleeper.signal(:STOP)
    other = server.start.await_ready
    eventually("the end of its lease") { given_up?(sleeper) }
    other.stop
    sleeper.signal(:CONT)
    eventually("its awakening") { sleeper.output.include?("lease lost") }
    20.times { |id| push(id) && await_done(id + 1, within: 10) }
    expect(redis.keys("footplate:recovered:*")).to eq([])
  end

  it "goes on soon after a spell of a wrong password" do
    server = idle_server
    redis.call("CONFIG", "SET", "requirepass", "another")
    redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    eventually("its complaint") { server.output.include?("denies access") }
    redis.call("CONFIG", "SET", "requirepass", "")
    eventually("somebody waiting", within: 10) { waiting.size == 1 }
    push(0) && await_done(1, within: 5)
  end

  # Neither held nor to be had back: an orphan that nobody has recovered yet lives on when it renews.
  def given_up?(server)
    %w[footplate:leases footplate:orphans].none? do |key|
      redis.call("ZRANGE", key, 0, -1).any? { |holder| holder.split(":")[1] == server.pid.to_s }
    end
  end

  it "hears of a pause that came while the connection was lost" do
    idle_server
    lost = listener
    redis.call("MULTI")
    redis.call("CLIENT", "KILL", "ID", lost)
    redis.call("SADD", "paused", "default")
    redis.call("EXEC")
    eventually("nobody waiting", within: 10) { waiting.empty? }
    push(1)
    eventually("a new connection") { listener }
    expect([redis.call("LLEN", "queue:default"), done]).to eq([1, 0])
    redis.call("SREM", "paused", "default")
    await_done(1, within: 10)
  end

  # The connection that is told of what is touched.
  def listener
    redis.call("CLIENT", "LIST").lines.grep(/ flags=\w*[tB]/).map { |line| line[/\bid=(\d+)/, 1] }.first
  end

  it "is not used where nobody would say that a queue was paused" do
    redis.call("ACL", "SETUSER", "default", "-client|tracking")
    server.start.await_ready
    push(1)
    await_done(1)
    looked = looks
    eventually("idle looks") { looks >= looked + 20 }
    expect(redis.call("INFO", "commandstats")).not_to include("cmdstat_blmove")
  end

  def looks
    redis.call("INFO", "commandstats")[/^cmdstat_evalsha:calls=(\d+)/, 1].to_i
  end

  it "takes no more jobs than the workers can start" do
    idle_server
    waiting_jobs = 10
    (5 + waiting_jobs).times do |id|
      push(id, work: long)
      eventually("job #{id} where it belongs") { redis.inflight.size == [id + 1, 5].min }
    end
    expect(redis.call("LLEN", "queue:default")).to eq(waiting_jobs)
    expect(waiting).to be_empty
  end

  it "gives back a job that it cannot start, though workers are free" do
    idle_server(env: { "POISON" => "1" })
    redis.push("default", [payload("PoisonJob", 0, "hold")])
    eventually("a held GVL") { ledger.call("LLEN", "holding") == 1 }
    push(1)
    eventually("a job in flight") { redis.inflight.size == 2 }
    server(env: { "POISON" => "1" }).start
    await_done(2)
    expect(ledger.call("LLEN", "holding")).to eq(1)
  end

  it "finds what was moved for a connection that is lost, also while the workers are busy" do
    idle_server(arguments: %w[-c 6])
    push(0, 1, 2, work: long)
    eventually("busy workers") { redis.inflight.size == 3 }
    await_waiting
    lost = waiting.first
    push(7)
    # The others, in the same instant, keep the workers too busy for anybody to wait again.
    more = Array.new(2) { |n| ["LPUSH", "queue:default", payload("MarkingJob", 3 + n, long)] }
    strand(["CLIENT", "KILL", "ID", lost], *more)
    await_done(1, within: 10)
    expect(runs).to eq(7 => 1)
  end

  it "finds what is moved late for a connection that is lost" do
    idle_server
    redis.call("CLIENT", "KILL", "ID", waiting.first)
    eventually("its loss") { waiting.empty? }
    await_waiting
    redis.call("MULTI")
    4.times { |n| redis.call("LPUSH", "queue:default", payload("MarkingJob", n, long)) }
    redis.call("EXEC")
    eventually("busy workers") { redis.inflight.size == 4 }
    eventually("nobody waiting") { waiting.empty? }
    redis.call("SADD", "paused", "default")
    push(7)
    strand
    await_done(1, within: 10)
    expect(runs).to eq(7 => 1)
  end
end
