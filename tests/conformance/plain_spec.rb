# frozen_string_literal: true

require_relative "support/conformance"

# An application without the sidekiq gem, in a bundle of its own.
Conformance.describe "without the sidekiq gem" do
  gemfile = Conformance::Application.gemfile_without_sidekiq
  files = { "Gemfile" => gemfile, "config/footplate.yml" => ":concurrency: 2\n" }

  app <<~'RUBY', files: files
    require "footplate"
    class Own
      include Footplate::Job
      footplate_options queue: "own", retry: 2
      def perform(*args) = effect("own", jid, args, Footplate.server?, !defined?(Sidekiq::VERSION), logger.class.name)
    end
    class OwnFails
      include Footplate::Job
      footplate_options queue: "own", retry: 2
      def perform(*) = raise("own failure")
    end
    class Around
      def call(job, payload, queue) = effect("around", job.class.name, queue) && yield
    end
    Footplate.configure do |config|
      config.on(:startup) { effect("startup") }
      config.on(:shutdown) { effect("shutdown") }
      config.server_middleware { |chain| chain.add(Around) }
      config.error_handlers << ->(error, context, _config) { effect("error", error.message, context[:context]) }
      config.death_handlers << ->(job, error) { effect("death", job["class"]) }
    end
    if ARGV.first == "enqueue"
      Own.perform_async(1, { "a" => 2 })
      Own.perform_in(1, "later")
      OwnFails.perform_async
    end
  RUBY

  env = { "RUBYOPT" => "-rbundler/setup" }

  scenario do
    client("app.rb", "enqueue", env: env)
    push("OwnFails", queue: "own", retry: 0)
    start("-q", "own", env: env)
    @info = JSON.parse(redis.call("HGET", identity, "info"))
    await_effects(2, "own")
    drained
    @code = server.stop
  end

  it "runs Footplate::Job" do
    expect(effects("own").map do |it|
             it.drop(1).first(3)
           end).to eq([[[1, { "a" => 2 }], true, true], [["later"], true, true]])
    expect(@code).to eq(0)
  end

  it "retries, buries and tells handlers and middleware" do
    expect(entries("retry").fetch("OwnFails")).to include("error_message" => "own failure",
                                                          "failed_at" => be_a(Integer), "retry" => 2)
    expect(entries("dead").keys).to eq(["OwnFails"])
    expect(effects("death")).to eq([["OwnFails"]])
    expect(effects("error")).to eq([["own failure", "Job raised exception"]] * 2)
    expect(effects("around").tally).to eq(%w[Own own] => 2, %w[OwnFails own] => 2)
    expect(effects.map(&:first)).to start_with("startup").and end_with("shutdown")
  end

  it "logs in the layout of Sidekiq 8 and registers with its fields" do
    expect(server.lines.grep(/class=Own: /).first).to match(/\AINFO \S+Z pid=\d+ tid=\w+ jid=\h{24} class=Own: start\z/)
    expect(server.lines.grep(/class=Own .*elapsed/).first).to match(/elapsed=\d+\.\d+: done\z/)
    expect(server.output).to match(/INFO .*context=Job raised exception.*own failure/)
    expect(@info).to include("concurrency" => 2, "queues" => ["own"], "capsules" => include("default"))
  end
end

Conformance.describe "TERM without the sidekiq gem" do
  app <<~'RUBY', files: { "Gemfile" => Conformance::Application.gemfile_without_sidekiq }
    require "footplate"
    class Hold
      include Footplate::Job
      def perform(name)
        hold(name)
      ensure
        effect("ensure", $!.class.name, $!.is_a?(Interrupt))
      end
    end
    class Around
      def call(_job, payload, _queue) = yield
    end
    Footplate.configure { |config| config.server_middleware { |chain| chain.add(Around) } if ENV["AROUND"] }
  RUBY

  # With middleware a job takes another path.
  [{}, { "AROUND" => "1" }].each_with_index do |more, round|
    it "interrupts what does not end, by a constant of Footplate's, and gives it back (#{more.keys.join})" do
      redis.call("FLUSHALL")
      jobs = [push("Hold", "never"), push("Hold", "at all", retry: false)]
      start("-c", "2", "-t", "60", env: { "RUBYOPT" => "-rbundler/setup", **more })
      await_effects(2 * (round + 1), "holds")
      server.signal(:TERM)
      eventually("the first TERM to be heard") { server.output.include?("Pausing to allow jobs to finish") }
      expect(server.stop).to eq(0)
      expect(effects("ensure").last(2)).to eq([["Footplate::Shutdown", true]] * 2)
      expect(queue).to match_array(jobs)
      expect([entries("retry"), entries("dead"), in_flight]).to eq([{}, {}, 0])
    end
  end
end
