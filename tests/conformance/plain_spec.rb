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

Conformance.describe "a Rails application without the sidekiq gem", needs: %w[railties activejob] do
  app "", files: {
    "Gemfile" => Conformance::Application.gemfile_without_sidekiq("railties", "activejob"),
    "config/application.rb" => <<~'RUBY',
      require "rails"
      require "active_job/railtie"
      require "footplate"
      class Shop < Rails::Application
        config.eager_load = false
        config.root = File.expand_path("..", __dir__)
        config.secret_key_base = "x" * 32
        config.active_job.queue_adapter = :footplate
        config.active_support.to_time_preserves_timezone = :zone if Rails.version >= "8"
      end
    RUBY
    "config/environment.rb" => <<~RUBY
      require_relative "application"
      #{Conformance::Application::PRELUDE}
      Shop.initialize!
      class Plainly
        include Footplate::Job
        retry_in { raise "in the block" }
        def perform
          Rails.logger.info("from the job")
          raise(ArgumentError, "first")
        rescue ArgumentError
          raise("in vain")
        end
      end
      class Leveled
        include Footplate::Job
        def perform = effect("leveled")
      end
      class Active < ActiveJob::Base
        def perform = raise("active in vain")
      end
      Footplate.configure { |config| config.error_handlers << ->(error, context = {}) { effect("two", error.message, context[:context]) } }
      Active.perform_later if ARGV.first == "enqueue"
    RUBY
  }

  scenario do
    env = { "RUBYOPT" => "-rbundler/setup" }
    client("config/environment.rb", "enqueue", env: env)
    push("Plainly", jid: "plainly")
    push("Leveled", log_level: "nonsense")
    start("-c", "1", "-e", "development", require: ".", env: env)
    eventually("both failures") { entries("retry").size == 2 }
    drained
    server.stop
  end

  it "has what jobs say to Rails's logger among its lines, with their context" do
    line = /\AINFO .* jid=plainly class=Plainly: from the job/
    expect(server.lines.grep(/from the job/)).to contain_exactly(match(line))
    expect(File.read(path("log/development.log"))).to include("from the job")
  end

  it "tells a failure in one line and one backtrace, of the application's lines" do
    from = server.lines.index { |line| line.match?(/job=\{"class" ?=> ?"Plainly"/) }
    told = server.lines.drop(from).take_while { |line| line == server.lines[from] || line.start_with?("  ") }
    expect(told.size).to be_between(2, 6)
    expect(told.first).to match(/\AINFO .*: in vain \(RuntimeError\)\z/)
    expect(told.drop(1)).to all(match(/config.environment\.rb:\d+|caused by first \(ArgumentError\)/))
    active = server.lines.drop_while { |line| !line.match?(/context=.*active in vain \(RuntimeError\)/) }
    expect(active.drop(1).take_while { |line| line.start_with?("  ") }.size).to eq(1)
  end

  it "runs a job whose log level is none" do
    expect(effects("leveled").size).to eq(1)
  end

  it "names its own blocks, and calls handlers with what they take" do
    block = "retry_in of Plainly failed; the job is retried by the default formula"
    expect(effects("two")).to include(["in the block", block],
                                      ["in vain", "Job raised exception"], ["active in vain", "Job raised exception"])
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

# The rest is compared with Sidekiq's own: tests/differential/hostile_spec.rb.
Conformance.describe "what goes wrong while a failure is recorded, without the sidekiq gem" do
  gemfile = Conformance::Application.gemfile_without_sidekiq

  app <<~'RUBY', files: { "Gemfile" => gemfile }
    require "footplate"
    class Unreadable < StandardError
      def message = exit(3)
      def full_message(**) = raise(NotImplementedError, "second")
    end
    class Fails
      include Footplate::Job
      footplate_options retry: 2
      def perform = raise(Unreadable)
    end
    class Dies
      include Footplate::Job
      def perform = raise(ArgumentError, "own")
    end
    class Leaves
      include Footplate::Job
      def perform = effect("left", jid) && raise(Footplate::Shutdown)
    end
    Footplate.configure do |config|
      config.error_handlers << ->(*) { exit(5) }
      config.error_handlers << ->(error, context, _config) { effect("error", error.class.name, context[:context]) }
      config.death_handlers << ->(*) { raise NotImplementedError, "second" }
      config.death_handlers << ->(job, error) { effect("death", job["class"], error.message) }
    end
  RUBY

  scenario do
    push("Fails")
    push("Dies", retry: 0)
    push("Leaves", jid: "l")
    start("-c", "1", env: { "RUBYOPT" => "-rbundler/setup" })
    drained
    @code = server.stop
  end

  it "is heard, and changes nothing about the failure" do
    expect(@code).to eq(0)
    expect(entries("retry").transform_values { |it| it.slice("error_class", "error_message").values }).to eq(
      "Fails" => ["Unreadable", "!!! ERROR MESSAGE THREW AN ERROR !!!"], "Leaves" => ["Footplate::Shutdown"] * 2
    )
    expect(entries("dead").fetch("Dies")).to include("error_message" => "own")
    expect(effects("left")).to eq([["l"]])
    expect(effects("death")).to eq([%w[Dies own]])
    own = %w[Unreadable ArgumentError Footplate::Shutdown].map { |it| [it, "Job raised exception"] }
    expect(effects("error")).to include(*own, ["SystemExit", "Error reading the exception of a job"],
                                        ["NotImplementedError", "Error calling death handler"])
    expect(server.output).to include("!!! ERROR MESSAGE THREW AN ERROR !!! (Unreadable)")
  end
end
