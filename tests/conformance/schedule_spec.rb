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

Conformance.describe "client middleware on due jobs" do
  app <<~RUBY
    #{SCHEDULED_JOB}
    class Clerk
      def call(klass, payload, queue, pool)
        effect("clerk", klass.to_s, payload["jid"], payload["retry_count"], queue, !pool.nil?)
        return false if payload["jid"] == "vetoed"
        raise "the clerk fails" if payload["jid"] == "failing"
        payload["stamped"] = "by the clerk"
        payload["queue"] = "moved" if payload["jid"] == "moved"
        yield
      end
    end
    class Shows
      def call(_job, payload, queue) = effect("shows", payload["jid"], payload["stamped"], queue) && yield
    end
    Sidekiq.configure_server do |config|
      config.client_middleware { |chain| chain.add(Clerk) }
      config.server_middleware { |chain| chain.add(Shows) }
    end
  RUBY

  scenario do
    past = Time.now.to_f - 10
    put("schedule", past, "Due", jid: "first")
    put("schedule", past, "Due", jid: "vetoed")
    put("retry", past, "Due", jid: "second", retry_count: 1)
    put("retry", past, "Due", jid: "moved", retry_count: 1)
    put("schedule", past - 1, "Due", jid: "failing")
    redis.call("ZADD", "retry", past, "not json")
    start("-q", "default", "-q", "moved")
    await_effects(3, "due")
    eventually("the veto and the burial") { redis.call("ZCARD", "schedule") <= 1 && redis.call("ZCARD", "retry").zero? }
    @code = server.stop
  end

  it "sees them before they move, and what it adds arrives" do
    expect(effects("clerk")).to include(["Due", "first", nil, "default", true], ["Due", "second", 1, "default", true])
    expect(effects("shows")).to contain_exactly(["first", "by the clerk", "default"], ["second", "by the clerk", "default"],
                                                ["moved", "by the clerk", "moved"])
  end

  it "may veto, and a failure of it loses nothing" do
    left = redis.call("ZRANGE", "schedule", 0, -1).map { |job| JSON.parse(job)["jid"] }
    expect(left).to eq(["failing"])
    expect(server.output).to include("the clerk fails")
    expect(@code).to eq(0)
  end

  it "is not asked about what is malformed" do
    expect(redis.call("ZRANGE", "dead", 0, -1)).to eq(["not json"])
  end
end

Conformance.describe "jobs that enqueue jobs" do
  app <<~RUBY
    #{SCHEDULED_JOB}
    class Parent
      include JobModule
      def perform
        Due.perform_async("now")
        Due.perform_in(1, "in a second")
        Due.set(queue: "other").perform_async("elsewhere")
        Sidekiq::Client.push_bulk("class" => Due, "args" => [["bulk", 1], ["bulk", 2]])
        effect("pushed", Time.now.to_f)
      end
    end
  RUBY

  scenario do
    push("Parent")
    start("-q", "default", "-q", "other")
    await_effects(5, "due")
    @code = server.stop
  end

  it "do so through Sidekiq's client" do
    expect(effects("due").map { |_, jid, *what| [jid.size, what] })
      .to contain_exactly([24, ["now"]], [24, ["in a second"]], [24, ["elsewhere"]], [24, ["bulk", 1]], [24, ["bulk", 2]])
    at = effects("due").find { |_, _, what| what == "in a second" }.first
    expect(at - effects("pushed").first.first).to be_between(0.9, 4)
    expect(@code).to eq(0)
  end
end
