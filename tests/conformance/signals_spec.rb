# frozen_string_literal: true

require "socket"
require_relative "support/conformance"

# TSTP, TTIN, and what the dashboard's buttons leave for a process.
SIGNALS_APP = <<~'RUBY'
  class Hold
    include JobModule
    def perform(name) = hold(name) && effect("done", name, interrupted)
    def interrupted = respond_to?(:interrupted?) ? interrupted? : nil
  end
  class Note
    include JobModule
    def perform(what) = effect("note", what)
  end
  Sidekiq.configure_server do |config|
    config.on(:quiet) { effect("event", "quiet", 1) }
    config.on(:quiet) { effect("event", "quiet", 2) }
  end
RUBY

Conformance.describe "TSTP" do
  app SIGNALS_APP

  scenario do
    push("Hold", "it")
    start("-c", "1")
    await_effects(1, "holds")
    3.times { |i| push("Note", i, jid: "note#{i}") }
    server.signal(:TSTP)
    await_effects(2, "event")
    push("Note", 3, jid: "note3")
    @quiet = eventually("the entry to say so") { redis.call("HGET", identity, "quiet") == "true" }
    release("it")
    await_effects(1, "done")
    eventually("the job's acknowledgement") { in_flight.zero? }
    server.signal(:TSTP)
    @alive = server.alive?
    @title = File.read("/proc/#{server.pid}/cmdline").delete("\0")
    @code = server.stop
  end

  it "takes no more jobs, ends the running one and stays" do
    expect(@quiet).to be(true)
    expect(@alive).to be(true)
    expect(effects("note")).to be_empty
    expect(queue.map { |job| JSON.parse(job)["jid"] }).to eq(%w[note0 note1 note2 note3])
    expect(server.output).to include("Received TSTP, no longer accepting new work")
  end

  it "fires :quiet once, in reverse order" do
    expect(effects("event")).to eq([["quiet", 2], ["quiet", 1]])
  end

  it "tells jobs that ask, since 7.3" do
    expect(effects("done")).to eq([["it", generation?("7.3") ? true : nil]])
  end

  it "shows in the process's title, and TERM ends it" do
    expect(@title).to match(/\[\d of 1 busy\] stopping/)
    expect(@code).to eq(0)
  end
end

Conformance.describe "TTIN" do
  app SIGNALS_APP

  scenario do
    push("Hold", "it")
    start("-c", "2")
    await_effects(1, "holds")
    server.signal(:TTIN)
    eventually("the dump") { server.output.scan(/Thread TID-\w+/).size >= 3 && server.output =~ /in .*hold'/ }
    release("it")
    await_effects(1, "done")
    @code = server.stop
  end

  it "says what every thread does and changes nothing" do
    expect(server.output).to match(/WARN.*Thread TID-\w+ .*processor/)
    expect(server.output).to match(/app\.rb:\d+:in .*hold/)
    expect(@code).to eq(0)
  end
end

Conformance.describe "quiet and stop from afar" do
  app SIGNALS_APP

  def order(method)
    code = "require 'sidekiq/api'; puts Sidekiq::ProcessSet.new.map { |process| process.#{method}; process.identity }"
    IO.popen([{ "REDIS_URL" => redis.url }, RbConfig.ruby, "-rsidekiq", "-e", code], &:readlines).last.split
  end

  scenario do
    push("Hold", "it")
    start
    @identity = identity
    await_effects(1, "holds")
    @seen = order("quiet!")
    eventually("quiet", within: 12) { redis.call("HGET", identity, "quiet") == "true" }
    @dumped = order("dump_threads") && eventually("the dump", within: 12) { server.output.include?("Thread TID-") }
    release("it")
    order("stop!")
    eventually("the end", within: 12) { !server.alive? }
  end

  it "are heard" do
    expect(@seen).to eq([@identity])
    expect(effects("event").size).to eq(2)
    expect(@dumped).to be(true)
    expect(server.status.exitstatus).to eq(0)
    expect(redis.call("SMEMBERS", "processes")).to be_empty
  end
end

# Every thread but the one that runs it and the main one, again and again.
KILLER_APP = <<~'RUBY'
  class Killer
    include JobModule
    def perform(seconds)
      worker = Thread.current
      from = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      loop do
        Thread.list.each { |thread| thread.kill unless [worker, Thread.main].include?(thread) }
        break if Process.clock_gettime(Process::CLOCK_MONOTONIC) - from > seconds
        Thread.pass
      end
      effect("killed", seconds)
    end
  end
  class Note
    include JobModule
    def perform(what) = effect("note", what)
  end
  class Passes
    def call(*) = yield
  end
  Sidekiq.configure_server do |config|
    config.client_middleware { |chain| chain.add(Passes) }
    config.error_handlers << ->(error, *) { effect("error", error.class.name, Thread.current.name) }
  end
RUBY

Conformance.describe "a job that kills all threads" do
  app KILLER_APP, files: { "config/footplate.yml" => "beat_seconds: 0.5\n" }

  def threads
    names = Dir["/proc/#{server.pid}/task/*/comm"].filter_map { |file| File.read(file).chomp if File.exist?(file) }
    names.grep(/footplate\.|processor|sidekiq/).tally
  rescue Errno::ENOENT, Errno::ESRCH
    {}
  end

  scenario do
    socket = Socket.new(:UNIX, :DGRAM)
    socket.bind(Addrinfo.unix(path("notify")))
    start("-c", "3", env: { "NOTIFY_SOCKET" => path("notify"), "WATCHDOG_USEC" => "1000000" })
    @before = eventually("three of ours, three that run jobs") { (now = threads).values.sum == 6 && now }
    push("Killer", 0)
    await_effects(1, "killed")
    @after = eventually("as many threads") { (now = threads) == @before && now }
    nil while socket.recv_nonblock(100, exception: false).is_a?(String)
    @alive = eventually("a sign of life") { socket.recv(100) == "WATCHDOG=1" }
    put("schedule", Time.now, "Note", "due")
    5.times { |i| push("Note", i) }
    await_effects(6, "note")
    push("Killer", 2)
    redis.call("LPUSH", "#{identity}-signals", "TSTP")
    await_effects(2, "killed")
    eventually("quiet") { redis.call("HGET", identity, "quiet") == "true" }
    redis.call("LPUSH", "#{identity}-signals", "TERM")
    @code = server.stop(nil)
  end

  it "does without none of them for long" do
    expect(@after).to eq(@before)
    expect(@before.keys.grep(/footplate\.(contr|sched|watch)/).size).to eq(3)
    expect(@alive).to be(true)
    expect(effects("note").flatten).to contain_exactly("due", 0, 1, 2, 3, 4)
  end

  it "does not keep what the dashboard's buttons left from being heard" do
    expect(@code).to eq(0)
    expect(server.output.scan("Received TSTP").size).to eq(1)
    expect(effects("error")).to eq([])
  end
end
