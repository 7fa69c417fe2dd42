# frozen_string_literal: true

require_relative "support/conformance"

# How it ends, and what it leaves to others.
SHUTDOWN_APP = <<~'RUBY'
  class Hold
    include JobModule
    def perform(name) = hold(name) && effect("done", name)
  end
  class Ensures
    include JobModule
    def perform(name)
      hold(name)
    ensure
      effect("ensure", $!.class.name, $!.is_a?(Interrupt))
    end
  end
  class Wraps
    include JobModule
    def perform(name)
      hold(name)
    rescue Interrupt
      raise "because of it"
    end
  end
  class Stubborn
    include JobModule
    def perform(name)
      hold(name)
    rescue Interrupt
      effect("stubborn") && sleep
    end
  end
  class Note
    include JobModule
    def perform(what) = effect("note", what)
  end
RUBY

Conformance.describe "TERM when nothing runs" do
  app SHUTDOWN_APP

  scenario do
    start
    @identity = identity
    @code = server.stop
  end

  it "ends promptly with 0 and signs off" do
    expect(@code).to eq(0)
    expect(server.stop_seconds).to be < 3
    expect(redis.call("SMEMBERS", "processes")).to be_empty
    expect(redis.call("KEYS", "footplate:inflight:*")).to be_empty
    expect(server.output).to include("Shutting down").and include("Bye!")
  end
end

Conformance.describe "TERM while jobs run that end in time" do
  app SHUTDOWN_APP

  scenario do
    push("Hold", "soon")
    3.times { |i| push("Note", i, jid: "note#{i}") }
    start("-c", "1", "-t", "10")
    await_effects(1, "holds")
    server.signal(:TERM)
    eventually("quiet") { queue.size == 3 && server.output.include?("Pausing to allow jobs to finish") }
    release("soon")
    @code = server.stop(nil)
  end

  it "lets them end, and leaves the others in their order" do
    expect(@code).to eq(0)
    expect(effects("done")).to eq([["soon"]])
    expect(effects("note")).to be_empty
    expect(queue.map { |job| JSON.parse(job)["jid"] }).to eq(%w[note0 note1 note2])
  end
end

Conformance.describe "TERM while jobs run that do not end" do
  app SHUTDOWN_APP

  scenario do
    @pushed = [push("Hold", "never", odd: [1.50, "\u00fc"]), push("Ensures", "never"),
               push("Wraps", "never", retry_count: 3),
               push("Stubborn", "never"), push("Note", 1)]
    start("-c", "4", "-t", "1")
    await_effects(4, "holds")
    @code = server.stop
  end

  it "ends with 0 soon after its timeout" do
    expect(@code).to eq(0)
    expect(server.stop_seconds).to be_between(1, 6)
    expect(server.output).to include("Terminating 4 busy threads")
  end

  it "puts them back where they are taken next, byte for byte" do
    expect(queue.first(4)).to match_array(@pushed.first(4))
    expect(queue.last).to eq(@pushed.last)
    expect(queue.size).to eq(5)
  end

  it "makes no retries of them, not even of errors caused by the end" do
    expect(entries("retry")).to be_empty
    expect(entries("dead")).to be_empty
    expect(in_flight).to eq(0)
  end

  it "raises Sidekiq::Shutdown, an Interrupt, in their threads" do
    expect(effects("ensure")).to eq([["Sidekiq::Shutdown", true]])
    expect(effects("stubborn").size).to eq(1)
    expect(effects("done")).to be_empty
  end

  it "counts their executions" do
    expect([processed, failed]).to eq([4, 4])
  end

  it "has them run by the next server" do
    release("never")
    start("-c", "4")
    await_effects(1, "done")
    await_effects(1, "note")
    drained
    expect(server.stop).to eq(0)
    expect(entries("retry")).to be_empty
  end
end

Conformance.describe "a second INT" do
  app SHUTDOWN_APP

  scenario do
    @job = push("Hold", "never")
    start("-t", "60")
    await_effects(1, "holds")
    server.signal(:INT)
    eventually("the first INT to be heard") { server.output.include?("Pausing to allow jobs to finish") }
    @code = server.stop(:INT)
  end

  it "hurries" do
    expect(@code).to eq(0)
    expect(server.stop_seconds).to be < 6
    expect(queue).to eq([@job])
  end
end
