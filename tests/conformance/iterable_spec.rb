# frozen_string_literal: true

require_relative "support/conformance"

# Iterable jobs give way and go on.
Conformance.describe "iterable jobs", since: "7.3" do
  app <<~'RUBY'
    class Steps
      include Sidekiq::IterableJob
      def build_enumerator(count, cursor:) = array_enumerator((0...count).to_a, cursor: cursor)
      def each_iteration(step, *)
        effect("step", step)
        hold("step 3") if step == 3
      end
      def on_resume = effect("resume")
      def on_complete = effect("complete")
    end
    Sidekiq.configure_server do |config|
      config.death_handlers << ->(*) { effect("death") }
      config.error_handlers << ->(error, *) { effect("error", error.class.name) }
    end
  RUBY

  scenario do
    @pushed = JSON.parse(push("Steps", 6, jid: "iterable"))
    start("-c", "1", "-t", "10")
    await_effects(1, "holds")
    server.signal(:TERM)
    eventually("quiet") { server.output.include?("Pausing to allow jobs to finish") }
    release("step 3")
    @code = server.stop(nil)
    @left = queue.map { |job| JSON.parse(job) }
    @counts = [processed, failed]
    start("-c", "1")
    await_effects(1, "complete")
    drained
    server.stop
  end

  it "are handed back by TERM, with their jid, and count as no failure" do
    expect(@code).to eq(0)
    expect(@left.size).to eq(1)
    expect(@left.first).to include("jid" => "iterable", "class" => "Steps", "args" => [6])
    expect(effects("error") + effects("death")).to be_empty
    expect(entries("retry")).to be_empty
    expect(@counts.first).to eq(1)
  end

  it "go on where they were" do
    expect(effects("step").flatten).to eq([0, 1, 2, 3, 4, 5])
    expect(effects("resume").size).to eq(1)
    expect(redis.call("EXISTS", "it-iterable")).to eq(0)
  end
end

Conformance.describe "a cancelled iterable job", since: "8.0" do
  app <<~'RUBY'
    class Steps
      include Sidekiq::IterableJob
      def build_enumerator(count, cursor:) = array_enumerator((0...count).to_a, cursor: cursor)
      def each_iteration(step, *)
        effect("step", step)
        cancel! if step == 1
      end
      def on_complete = effect("complete")
    end
  RUBY

  scenario do
    push("Steps", 500, jid: "cancelled")
    start("-c", "1")
    drained
    @code = server.stop
  end

  it "ends without a failure" do
    expect(entries("retry").values.map { |job| job["error_message"] }).to be_empty
    expect(queue).to be_empty
    expect([processed, failed]).to eq([1, 0])
    expect(@code).to eq(0)
  end
end
