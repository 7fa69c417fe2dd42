# frozen_string_literal: true

require_relative "support/conformance"

# Redis goes away, comes back, refuses to write, and nothing is lost.
TROUBLE_APP = <<~'RUBY'
  class Note
    include JobModule
    def perform(what) = effect("note", what)
  end
  class Hold
    include JobModule
    def perform(name) = hold(name) && effect("done", name)
  end
  class Wrong < Failing; end
  Sidekiq.configure_server { |config| config.error_handlers << ->(error, *) { effect("error", error.class.name) } }
RUBY

Conformance.describe "a Redis that restarts with its data" do
  app TROUBLE_APP, redis: -> { OwnRedis.durable }

  scenario do
    push("Hold", "over the restart")
    push("Wrong", 1)
    start("-c", "3", "-t", "5")
    await_effects(1, "holds")
    eventually("the first failure") { redis.call("ZCARD", "retry") == 1 }
    redis.crash do
      release("over the restart")
      await_effects(1, "done")
    end
    push("Note", "after")
    await_effects(1, "note")
    drained
    eventually("the entry", within: 12) { identity }
    @code = server.stop
  end

  it "loses nothing, and what ended meanwhile is settled" do
    expect(effects("done").size).to eq(1)
    expect(effects("note")).to eq([["after"]])
    expect(in_flight).to eq(0)
    expect(queue).to be_empty
    expect(entries("retry").keys).to eq(["Wrong"])
    expect(processed).to eq(3)
    expect(@code).to eq(0)
  end

  it "says so once and says when it is over" do
    said = server.lines.grep(/ERROR.*cannot/).map { |line| line[/cannot [^:]+: .*/] }
    expect(said).to eq(said.uniq)
    expect(said).not_to be_empty
    expect(server.lines.grep(/Redis is online, .* sec downtime/).size).to be_between(1, 2)
  end

  it "tells the error handlers, as Sidekiq does for the first failed fetch of an outage" do
    expect(effects("error").flatten).to include("Footplate::RedisError")
  end
end

Conformance.describe "a Redis that refuses to write" do
  app TROUBLE_APP

  scenario do
    start("-c", "2", "-t", "5")
    push("Hold", "it")
    await_effects(1, "holds")
    redis.call("REPLICAOF", "127.0.0.1", OwnRedis.free_port)
    release("it")
    await_effects(1, "done")
    eventually("its complaint") { server.output.match?(/READONLY/i) }
    @alive = server.alive?
    redis.call("REPLICAOF", "NO", "ONE")
    push("Note", "after")
    await_effects(1, "note")
    drained
    @code = server.stop
  end

  it "is waited for" do
    expect(@alive).to be(true)
    expect(effects("done").size).to eq(1)
    expect(processed).to eq(2)
    expect(@code).to eq(0)
  end
end

Conformance.describe "a Redis that is full" do
  app TROUBLE_APP

  scenario do
    10.times { |i| push("Note", i) }
    push("Wrong", 1)
    redis.call("CONFIG", "SET", "maxmemory", "1mb")
    start("-c", "2", "-t", "5")
    await_effects(10, "note")
    redis.call("CONFIG", "SET", "maxmemory", "0")
    push("Note", "after")
    await_effects(11, "note")
    drained
    redis.call("CONFIG", "SET", "maxmemory", "1mb")
    @code = server.stop
  end

  it "is emptied all the same" do
    expect(effects("note").size).to eq(11)
    expect(entries("retry").keys).to eq(["Wrong"])
  end

  it "is left as any other" do
    expect(@code).to eq(0)
    expect(redis.call("SMEMBERS", "processes")).to be_empty, server.tail
    # A full Redis refuses BLMOVE, after which the names of the lists for hand-offs are remembered for an hour.
    expect(redis.call("KEYS", "footplate:*") - ["footplate:handoffs"]).to be_empty
    expect(server.output).not_to include("could not leave")
  end
end

Conformance.describe "TERM while Redis is away" do
  app TROUBLE_APP

  scenario do
    push("Hold", "it")
    start("-c", "1", "-t", "1")
    await_effects(1, "holds")
    Process.kill(:STOP, redis.pid)
    server.signal(:TERM)
    eventually("the deadline", within: 10) { server.output.include?("Terminating 1 busy threads") }
    Process.kill(:CONT, redis.pid)
    @code = server.stop(nil)
  end

  it "waits for it, and the job is back" do
    expect(@code).to eq(0)
    expect(queue.size).to eq(1)
    expect(in_flight).to eq(0)
    expect(redis.call("SMEMBERS", "processes")).to be_empty
  end
end

Conformance.describe "a queue whose key is no list" do
  app TROUBLE_APP

  scenario do
    redis.call("SET", "queue:broken", "not a list")
    8.times { |n| push("Note", n) }
    # First in strict order, so that everything else comes after it.
    start("-c", "2", "-q", "broken", "-q", "default")
    await_effects(8, "note")
    push("Note", "after")
    await_effects(9, "note")
    eventually("its entry", within: 12) { identity }
    beat = -> { redis.call("HGET", identity, "beat") }
    before = beat.call
    eventually("another beat", within: 15) { beat.call != before }
    redis.call("DEL", "queue:broken")
    push("Note", "mended", queue: "broken")
    await_effects(10, "note")
    @code = server.stop
  end

  it "is passed over, which is said once, until it can be read" do
    expect(effects("note").map(&:first)).to contain_exactly(*0...8, "after", "mended")
    said = server.lines.grep(/WRONGTYPE|passed over|cannot/).map { |line| line[/queue broken.*/] }
    expect(said).to contain_exactly(/\Aqueue broken is passed over: its key in Redis holds something else than a list/)
    expect(server.output.scan("queue broken can be read again").size).to be <= 1
    expect(@code).to eq(0)
  end
end
