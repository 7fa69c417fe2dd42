# frozen_string_literal: true

require_relative "support/conformance"

# Server middleware, and the reloader around it.
Conformance.describe "server middleware" do
  app <<~'RUBY'
    class Named
      def initialize(name, number = nil) = (@name, @number = name, number)
      def call(job, payload, queue)
        return yield unless payload["class"] == "Look"
        effect("before", @name, object_id, job.class.name, job.jid, payload["args"], queue)
        yield.tap { effect("after", @name) }
      end
    end
    class First < Named; end
    class Second < Named; end
    class Between < Named; end
    class Gone < Named; end
    class Meddler
      def call(_job, payload, _queue)
        case payload["class"]
        when "Changed" then payload["args"] = ["changed"]; payload["added"] = true
        when "Skipped" then return effect("not yielded")
        when "Early" then raise ArgumentError, "before the job"
        end
        yield
        raise ArgumentError, "after the job" if payload["class"] == "Late"
      end
    end
    class Look
      include JobModule
      def perform(*args) = effect("look", args)
    end
    class Changed
      include JobModule
      def perform(what) = effect("changed", what) && raise("to see what is stored")
    end
    class Skipped < Look; end
    class Early < Look; end
    class Late < Look; end
    Sidekiq.configure_server do |config|
      config.server_middleware do |chain|
        chain.add(Second, "second", 2)
        chain.prepend(First, "first")
        chain.insert_after(First, Between, "between")
        chain.add(Gone, "gone")
        chain.remove(Gone)
        chain.add(Meddler)
      end
      config.error_handlers << ->(_error, context, *) { effect("error", context[:job]["added"]) if context[:job]["class"] == "Changed" }
      reloader = ->(&job) { effect("reloader", "in"); job.call.tap { effect("reloader", "out") } }
      config.respond_to?(:options) ? config.options[:reloader] = reloader : config[:reloader] = reloader
    end
  RUBY

  scenario do
    push("Look", 1, jid: "a")
    push("Look", 2, jid: "b")
    push("Changed", "original")
    %w[Skipped Early Late].each { |name| push(name) }
    start("-c", "1")
    drained
    @code = server.stop
  end

  it "stands around the job in its order" do
    story = effects.drop_while { |name, *| name == "reloader" }.take_while { |name, *| name != "reloader" }
    expect(story.map { |name, what, *| name == "look" ? name : [name, what] })
      .to eq([%w[before first], %w[before between], %w[before second], "look", %w[after second], %w[after between],
              %w[after first]])
  end

  it "gets instance, payload and queue, and is made anew for each job" do
    seen = effects("before").select { |name, *| name == "first" }
    expect(seen.map { |it| it.drop(2) }).to eq([["Look", "a", [1], "default"], ["Look", "b", [2], "default"]])
    expect(seen.map { |it| it[1] }.uniq.size).to eq(2)
  end

  it "may change the arguments for this run, not in what is stored" do
    expect(effects("changed")).to eq([["changed"]])
    expect(entries("retry").fetch("Changed")).to include("args" => ["original"]).and(satisfy do |job|
                                                                                       !job.key?("added")
                                                                                     end)
    expect(effects("error")).to eq([[true]])
  end

  it "may keep the job from running, which is a success" do
    expect(effects("not yielded").size).to eq(1)
    expect(effects("look").size).to eq(3)
    expect(entries("retry").keys).to contain_exactly("Changed", "Early", "Late")
    expect([processed, failed]).to eq([6, 3])
  end

  it "fails the job when it raises, before or after it" do
    expect(entries("retry").fetch("Early")["error_message"]).to eq("before the job")
    expect(entries("retry").fetch("Late")["error_message"]).to eq("after the job")
  end

  it "lies within the reloader" do
    expect(effects.map { |name, what, *| [name, what] }.count(%w[reloader in])).to eq(6)
    expect(effects.first).to eq(%w[reloader in])
    expect(@code).to eq(0)
  end
end

# With nothing else around the job: the engine calls the chain itself.
Conformance.describe "server middleware alone" do
  app <<~'RUBY'
    class Meddler
      def call(job, payload, queue)
        effect("before", payload["class"], job.class.name == payload["class"], job.jid == payload["jid"], queue)
        payload["args"] = ["changed"] if payload["class"] == "Changed"
        payload["added"] = true
        return if payload["class"] == "Skipped"
        yield
        raise ArgumentError, "after the job" if payload["class"] == "Late"
      rescue KeyError
        raise Sidekiq::JobRetry::Handled
      end
    end
    class Look
      include JobModule
      def perform(*args) = effect("look", args)
    end
    class Changed < Look; end
    class Skipped < Look; end
    class Late < Look; end
    class Owned
      include JobModule
      def perform = raise(KeyError, "the middleware's affair")
    end
    Sidekiq.configure_server do |config|
      config.server_middleware { |chain| chain.add(Meddler) }
      config.error_handlers << ->(error, context, *) { effect("error", error.message, context[:job]["added"]) }
    end
  RUBY

  scenario do
    %w[Look Changed Skipped Late].each { |name| push(name, 1) }
    push("Owned")
    start("-c", "1")
    drained
    server.stop
  end

  it "gets instance, payload and queue, and may change the arguments or keep the job from running" do
    expect(effects("before")).to eq(%w[Look Changed Skipped Late Owned].map { |name| [name, true, true, "default"] })
    expect(effects("look")).to eq([[[1]], [["changed"]], [[1]]])
  end

  it "fails the job when it raises, and the handlers see the payload as it left it" do
    expect(entries("retry").transform_values { |job| job["error_message"] }).to eq("Late" => "after the job")
    expect(effects("error")).to eq([["after the job", true], ["the middleware's affair", true]])
  end

  it "may see to a failure itself, which is counted and not retried" do
    expect([processed, failed]).to eq([5, 2])
    expect(redis.call("ZCARD", "dead")).to eq(0)
  end
end

Conformance.describe "a reloader that fails" do
  app <<~'RUBY'
    class Ok
      include JobModule
      def perform(what) = effect("ok", what)
    end
    Sidekiq.configure_server do |config|
      count = 0
      reloader = ->(&job) { (count += 1) == 1 ? raise("the code does not load") : job.call }
      config.respond_to?(:options) ? config.options[:reloader] = reloader : config[:reloader] = reloader
    end
  RUBY

  scenario do
    2.times { |i| push("Ok", i) }
    start("-c", "1")
    await_effects(1, "ok")
    drained
    server.stop
  end

  it "has the job retried" do
    expect(entries("retry").fetch("Ok")).to include("error_message" => "the code does not load", "args" => [0])
    expect(effects("ok")).to eq([[1]])
  end
end
