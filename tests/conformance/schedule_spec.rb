# frozen_string_literal: true

require_relative "support/conformance"

# Jobs whose time comes.
SCHEDULED_JOB = <<~'RUBY'
  class Due
    include JobModule
    def perform(*what) = effect("due", Time.now.to_f, jid, *what)
  end
RUBY

Conformance.describe "due jobs" do
  app SCHEDULED_JOB

  scenario do
    @now = Time.now.to_f
    put("schedule", @now - 3600, "Due", "past", jid: "past")
    put("retry", @now - 10, "Due", "again", jid: "again", retry_count: 2, queue: "other", unknown: [1.50])
    put("schedule", @now + 3600, "Due", "far", jid: "far")
    redis.call("ZADD", "schedule", @now - 1, "not json")
    redis.call("ZADD", "retry", @now - 1, "[5]")
    start("-q", "default", "-q", "other")
    await_effects(2)
    @at = Time.now.to_f + 1.5
    put("schedule", @at, "Due", "soon", jid: "soon")
    await_effects(3)
    @code = server.stop
  end

  it "run, never before their time and not much later" do
    ran = effects("due").to_h { |time, jid, what| [jid, [time, what]] }
    expect(ran.transform_values(&:last)).to eq("past" => "past", "again" => "again", "soon" => "soon")
    expect(ran["soon"].first).to be_between(@at, @at + 2)
  end

  it "leave what is not due" do
    expect(redis.call("ZRANGE", "schedule", 0, -1).map { |job| JSON.parse(job)["jid"] }).to eq(["far"])
    expect(redis.call("SMEMBERS", "queues")).to include("default", "other")
  end

  it "go to the dead set when they are malformed, and the others go on" do
    expect(redis.call("ZRANGE", "dead", 0, -1)).to contain_exactly("not json", "[5]")
    expect(redis.call("ZCARD", "retry")).to eq(0)
    expect(@code).to eq(0)
  end
end

Conformance.describe "a due job in its queue" do
  app SCHEDULED_JOB

  scenario do
    @put = put("retry", Time.now - 10, "Due", 1.50, "\u00fc", queue: "nobody", retry_count: 2, enqueued_at: 5)
    @before = Time.now
    start("-q", "default")
    @moved = eventually("the move") { queue("nobody").first }
    server.stop
  end

  it "is what it was, but for the time of its return" do
    job = JSON.parse(@moved)
    expect(job.except("enqueued_at")).to eq(JSON.parse(@put).except("enqueued_at"))
    expect(job["enqueued_at"]).to be_a(time_type).and be_between(stamp(@before), stamp)
    expect(redis.call("SMEMBERS", "queues")).to include("nobody")
  end
end
