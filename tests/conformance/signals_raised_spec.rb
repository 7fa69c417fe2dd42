# frozen_string_literal: true

require_relative "support/conformance"

# What a job raises by itself is its failure, also where the server itself would raise that to steer it. Only what says
# that somebody has dealt with the job is taken at its word, as by Sidekiq.
["the native path", "the path through Ruby"].each do |path|
  Conformance.describe "exceptions that steer jobs, raised by jobs, on #{path}" do
    app <<~RUBY
      Sidekiq.configure_server do |config|
        settings = config.respond_to?(:[]=) ? config : Sidekiq.options
        settings[:reloader] = ->(&block) { block.call } if #{path == "the path through Ruby"}
        config.error_handlers << ->(error, context, *) { effect("heard", context.dig(:job, "class"), error.class.name) }
        config.death_handlers << ->(*) { effect("death") }
      end
      class ShutdownOfOurs < Sidekiq::Shutdown; end
      class HandledByUs < Sidekiq::JobRetry::Handled; end
      RAISED = { "Shutdown" => Sidekiq::Shutdown, "ShutdownChild" => ShutdownOfOurs, "Interrupted" => Interrupt,
                 "Hangup" => SignalException.new("HUP"), "Exit" => SystemExit,
                 "Stop" => StopIteration, "Uncaught" => UncaughtThrowError.new(:tag, 1, "uncaught throw"),
                 "Memory" => NoMemoryError, "Handled" => Sidekiq::JobRetry::Handled, "HandledChild" => HandledByUs,
                 "Skip" => Sidekiq::JobRetry::Skip }
      RAISED["GaveWay"] = Sidekiq::Job::Interrupted if defined?(Sidekiq::Job::Interrupted)
      RAISED.each do |name, raised|
        Object.const_set("Raises\#{name}", Class.new do
          include JobModule
          define_method(:perform) { effect("run", self.class.name) && raise(raised) }
        end)
      end
      # Known once the server is loaded.
      class RaisesOurs
        include JobModule
        def perform = effect("run", "RaisesOurs") && raise(Footplate::Shutdown)
      end
      class RaisesCaused
        include JobModule
        def perform
          effect("run", "RaisesCaused")
          raise Sidekiq::Shutdown
        rescue Sidekiq::Shutdown
          raise ArgumentError, "because of it"
        end
      end
      class RaisesThrow
        include JobModule
        def perform = effect("run", "RaisesThrow") && throw(:abort, false)
      end
      class Raised
        include JobModule
        def perform = effect("names", RAISED.transform_values { |it| it.is_a?(Class) ? it.name : it.class.name })
      end
    RUBY

    scenario do
      push("Raised")
      start("-c", "2")
      @names = await_effects(1, "names").flatten.first
      @failing = @names.keys - %w[Handled HandledChild Skip] + %w[Caused Ours Throw]
      (@names.keys + %w[Caused Ours Throw]).each { |name| push("Raises#{name}") }
      drained
      @code = server.stop
    end

    it "run once" do
      all = @failing + %w[Handled HandledChild Skip]
      expect(effects("run").flatten).to match_array(all.map { |it| "Raises#{it}" })
      expect(@code).to eq(0)
      expect(queue).to eq([])
    end

    it "are failures like any other, unless somebody has dealt with the job" do
      expected = @names.merge("Caused" => "ArgumentError", "Ours" => "Footplate::Shutdown",
                              "Throw" => "UncaughtThrowError").slice(*@failing)
      kept = entries("retry").to_h { |name, job| [name.delete_prefix("Raises"), job["error_class"]] }
      expect(kept).to eq(expected)
      expect(effects("heard")).to include(*expected.map { |name, error| ["Raises#{name}", error] })
      expect(effects("death") + entries("dead").to_a).to be_empty
    end

    it "are acknowledged where somebody has dealt with the job, and heard unless it is not to be" do
      heard = effects("heard").map(&:first)
      expect(heard).to include("RaisesHandled", "RaisesHandledChild")
      expect(heard.include?("RaisesSkip")).to be(!generation?("7.3"))
      expect([processed, failed]).to eq([@names.size + 4, @names.size + 3])
    end
  end
end

Conformance.describe "an iterable job that raises what would interrupt it", since: "7.3" do
  app <<~'RUBY'
    class Steps
      include Sidekiq::IterableJob
      def build_enumerator(cursor:) = array_enumerator([1, 2], cursor: cursor)
      def each_iteration(step) = effect("step", step) && raise(Sidekiq::Job::Interrupted)
    end
    class Leaves < Steps
      def each_iteration(step) = effect("step", step) && throw(:abort, false)
    end
  RUBY

  scenario do
    push("Steps")
    push("Leaves")
    start("-c", "1")
    drained
    server.stop
  end

  it "has failed, and is retried later" do
    expect(effects("step")).to eq([[1], [1]])
    expect(entries("retry").transform_values { |it| it["error_class"] }).to eq(
      "Steps" => "Sidekiq::Job::Interrupted", "Leaves" => "Sidekiq::Job::Interrupted"
    )
  end
end

Conformance.describe "how long an iterable job may run", since: "8.0.8" do
  app <<~'RUBY'
    class Steps
      include Sidekiq::IterableJob
      def build_enumerator(cursor:) = array_enumerator((0...6).to_a, cursor: cursor)
      def each_iteration(step) = effect("step", step) && sleep(0.1)
      def on_start = effect("start")
      def on_resume = effect("resume")
    end
    Sidekiq.configure_server { |config| config[:max_iteration_runtime] = Float(ENV.fetch("LIMIT")) }
  RUBY

  it "gives others a turn, and goes on" do
    push("Steps")
    start("-c", "1", env: { "LIMIT" => "0.15" })
    await_effects(6, "step")
    drained
    server.stop
    expect(effects("step").flatten).to eq((0...6).to_a)
    expect(effects("resume").size).to be >= 1
    expect(entries("retry")).to eq({})
  end

  %w[0 -1].each do |limit|
    it "is a failure where it is no time (#{limit}), and not a job that is run all the time" do
      redis.call("FLUSHALL")
      before = effects("start").size
      push("Steps")
      start("-c", "1", env: { "LIMIT" => limit })
      drained
      server.stop
      expect(effects("start").size).to eq(before + 1)
      expect(entries("retry").fetch("Steps")).to include("error_class" => "Sidekiq::Job::Interrupted")
    end
  end
end
