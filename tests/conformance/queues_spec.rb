# frozen_string_literal: true

require_relative "support/conformance"

# Which queue is served first.
ORDER_APP = <<~'RUBY'
  class Note
    include JobModule
    def perform(*what) = effect("note", *what)
  end
RUBY

Conformance.describe "queues in strict order" do
  app ORDER_APP

  scenario do
    3.times { |i| %w[low high mid paused].each { |name| push("Note", name, i, queue: name) } }
    redis.call("SADD", "paused", "paused")
    start("-c", "1", "-q", "high", "-q", "mid", "-q", "paused", "-q", "low")
    await_effects(9)
  end

  it "empties one before the next, each from its oldest job on" do
    expect(effects("note")).to eq(%w[high mid low].flat_map { |name| Array.new(3) { |i| [name, i] } })
  end

  it "leaves paused queues alone until they are not" do
    expect(queue("paused").size).to eq(3)
    redis.call("DEL", "paused")
    await_effects(12)
    expect(effects("note").last(3)).to eq([["paused", 0], ["paused", 1], ["paused", 2]])
    expect(server.stop).to eq(0)
  end
end

Conformance.describe "queues with weights" do
  app ORDER_APP

  scenario do
    300.times { |i| %w[a b].each { |name| push("Note", name, i, queue: name) } }
    start("-c", "1", "-q", "a,2", "-q", "b,1")
    await_effects(600)
    server.stop
  end

  it "starves none, and each stays in order" do
    first = effects("note").first(500).map(&:first).tally
    expect(first.values.min).to be > 50
    %w[a b].each { |name| expect(effects("note").select { |from, _| from == name }.map(&:last)).to eq((0...300).to_a) }
  end
end

Conformance.describe "capsules", since: "7.0" do
  app <<~'RUBY', files: { "config/sidekiq.yml" => <<~YAML }
    class Note
      include JobModule
      def perform(*what) = effect("note", Thread.current[:sidekiq_capsule].name, Thread.current.name, *what)
    end
    class Hold
      include JobModule
      def perform(name) = hold(name)
    end
    class Mark
      def initialize(name) = @name = name
      def call(_job, payload, _queue) = effect("mark", @name, payload["queue"]) && yield
    end
    Sidekiq.configure_server do |config|
      config.capsule("single") do |capsule|
        capsule.concurrency = 1
        capsule.queues = %w[single]
      end
      config.on(:startup) do
        config.capsule("late") { |capsule| capsule.concurrency = 1; capsule.queues = %w[late] }
        config.capsule("single").server_middleware { |chain| chain.add(Mark, "single's") }
      end
    end
  RUBY
    :concurrency: 2
    :capsules:
      filed:
        :concurrency: 3
        :queues: [[filed, 2], [other, 1]]
  YAML

  scenario do
    %w[default filed other late].each { |name| push("Note", queue: name) }
    start
    await_effects(4, "note")
    push("Hold", "one", queue: "single")
    push("Hold", "two", queue: "single")
    await_effects(1, "holds")
  end

  it "run the jobs of their queues on threads of their own" do
    prefix = generation?("7.1") ? "sidekiq." : ""
    expect(effects("note").map(&:first).sort).to eq(%w[default filed filed late])
    expect(effects("note").map { |capsule, thread| thread == "#{prefix}#{capsule}/processor" }).to all(be(true))
  end

  it "have a concurrency of their own" do
    push("Note", "while the single one is busy")
    await_effects(5, "note")
    expect(effects("holds")).to eq([["one"]])
    expect(queue("single").size).to eq(1)
    release("one")
    expect(await_effects(2, "holds")).to eq([["one"], ["two"]])
    release("two")
  end

  it "have a copy of the middleware of their own" do
    expect(effects("mark").uniq).to eq([["single's", "single"]])
  end

  it "show in the process's entry" do
    info = JSON.parse(redis.call("HGET", identity, "info"))
    expect(info["capsules"]).to include(
      "default" => { "concurrency" => 2, "mode" => "strict", "weights" => { "default" => 0 } },
      "filed" => { "concurrency" => 3, "mode" => "weighted", "weights" => { "filed" => 2, "other" => 1 } },
      "late" => include("concurrency" => 1)
    )
    expect(info["concurrency"]).to eq(7)
    expect(info["queues"]).to match_array(%w[default filed other single late])
  end
end
