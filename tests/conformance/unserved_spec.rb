# frozen_string_literal: true

require_relative "support/conformance"

# What a process says of its queues: which it serves, and which nobody does though jobs wait there.
Conformance.describe "jobs in queues that no process serves" do
  app <<~'RUBY'
    class Held
      include JobModule
      def perform(name) = hold(name)
    end
  RUBY

  def warnings(text)
    text.lines.grep(/wait/).map { |line| line[/\d+ jobs? wait.*/] }
  end

  scenario do
    start("-q", "busy", "-q", "hers", "-c", "1")
    push("Held", "go", queue: "busy")
    await_effects(1, "holds")
    2.times { push("Held", "go", queue: "busy") }
    7.times { push("Held", "go", queue: "mailers") }
    push("Held", "go", queue: "a\nb")
    redis.call("SADD", "queues", "empty")
    # A process that died is on the list for a while, but has no entry any more; nor does one tell what nobody can read.
    redis.call("SADD", "processes", "gone:1:abc", "strange:1:abc")
    redis.call("HSET", "strange:1:abc", "info", "{")
    fail_to_start("check", "-q", "default")
    @checked = server
    start("-q", "default,2", "-q", "low", "-c", "3")
    eventually("the warning") { server.output.include?("jobs wait in") }
    release("go")
    eventually("what is served to be done") { queue("busy").empty? && in_flight.zero? }
    servers.each { |it| it.stop unless it == @checked }
  end

  it "are told at the start and by the check, once, with their number" do
    said = warnings(@checked.output)
    expect(said).to match([/\A8 jobs wait in queues that no process serves: mailers \(7\), a\\nb \(1\)\. /])
    expect(warnings(server.output)).to eq(said)
    expect(@checked.status.exitstatus).to eq(0)
    expect(warnings(servers.first.output)).to be_empty
  end

  it "come after the line that says what is served, and by how many threads" do
    expect(servers.first.output).to match(/INFO.*: Ready: 1 thread on queues busy, hers; in this order$/)
    expect(server.output).to match(/INFO.*: Ready: 3 threads on queues default \(2\), low(?: \(1\))?; by weight$/)
  end
end

Conformance.describe "what is there of queues and processes and nobody can read" do
  app "class Ok; include JobModule; def perform = effect('ok'); end"

  it "is passed over, and keeps neither the check nor the start from going on" do
    redis.call("SADD", "queues", "broken")
    redis.call("SET", "queue:broken", "no list")
    redis.call("SADD", "processes", "broken:1:abc")
    redis.call("SET", "broken:1:abc", "no hash")
    push("Ok", queue: "mailers")
    fail_to_start("check")
    expect(server.output).to include("1 job waits in a queue that no process serves: mailers (1).")
    redis.call("DEL", "queues")
    redis.call("SET", "queues", "no set")
    fail_to_start("check")
    expect(server.output).to include("It would start.")
    redis.call("DEL", "queues")
    push("Ok")
    start
    await_effects(1, "ok")
    expect(server.stop).to eq(0)
  end
end
