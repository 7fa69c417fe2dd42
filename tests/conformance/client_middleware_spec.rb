# frozen_string_literal: true

require_relative "support/conformance"

DUE_JOB = <<~'RUBY'
  class Due
    include JobModule
    def perform(*what) = effect("due", Time.now.to_f, jid, *what)
  end
RUBY

Conformance.describe "client middleware on due jobs" do
  app <<~RUBY
    #{DUE_JOB}
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
    expect(effects("shows").map { |jid, stamped, queue| [jid, queue, stamped] })
      .to match_array([%w[first default], %w[second default], %w[moved moved]].map { |it| [*it, "by the clerk"] })
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
    #{DUE_JOB}
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
      .to contain_exactly([24, ["now"]], [24, ["in a second"]], [24, ["elsewhere"]], [24, ["bulk", 1]],
                          [24, ["bulk", 2]])
    at = effects("due").find { |_, _, what| what == "in a second" }.first
    expect(at - effects("pushed").first.first).to be_between(0.9, 4)
    expect(@code).to eq(0)
  end
end
