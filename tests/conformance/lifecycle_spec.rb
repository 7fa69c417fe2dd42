# frozen_string_literal: true

require_relative "support/conformance"

# Events, and the handlers of errors outside of retries.
Conformance.describe "lifecycle events" do
  app <<~'RUBY'
    Sidekiq.configure_server do |config|
      events = config.respond_to?(:[]) ? config[:lifecycle_events] : config.options[:lifecycle_events]
      (events.keys & %i[startup quiet shutdown heartbeat exit]).each do |event|
        config.on(event) { effect("event", event, 1) }
        config.on(event) { raise "a hook of #{event} fails" unless event == :startup }
        config.on(event) { effect("event", event, 2) }
      end
      config.on(:startup) { effect("at startup", Thread.list.count { |t| t.name.to_s.include?("processor") }) }
      config.error_handlers << ->(error, context, *) { effect("error", error.message, context[:event].to_s) }
    end
    at_exit { effect("at_exit") }
  RUBY

  scenario do
    start
    await_effects(4, "event")
    @code = server.stop
    @events = effects.select { |name, *| %w[event at_exit].include?(name) }
  end

  it "come in their order, once each" do
    ending = %w[quiet shutdown]
    ending << "exit" if generation?("8.0.2")
    expect(@events).to eq([%w[startup heartbeat].flat_map { |event| [["event", event, 1], ["event", event, 2]] },
                           ending.flat_map do |event|
                             [["event", event, 2], ["event", event, 1]]
                           end, [["at_exit"]]].flatten(1))
  end

  it "survive a failing hook, which the error handlers hear of" do
    expect(effects("error")).to include(["a hook of quiet fails", "quiet"], ["a hook of heartbeat fails", "heartbeat"])
    expect(@code).to eq(0)
  end

  it "begin before any worker exists" do
    expect(effects("at startup")).to eq([[0]])
  end
end

Conformance.describe "an exception at startup" do
  app <<~RUBY
    Sidekiq.configure_server { |config| config.on(:startup) { raise "cannot start like this" } }
    at_exit { effect("at_exit") }
  RUBY

  scenario { fail_to_start }

  it "ends the process with 1, and says why" do
    expect(server.status.exitstatus).to eq(1)
    expect(server.output).to include("cannot start like this")
    expect(effects("at_exit").size).to eq(1)
    expect(redis.call("SMEMBERS", "processes")).to be_empty
  end
end

Conformance.describe "an exception while the application is loaded" do
  app 'at_exit { effect("at_exit") }; raise LoadError, "the application is broken"'

  scenario { fail_to_start }

  it "ends the process with 1, and says where" do
    expect(server.status.exitstatus).to eq(1)
    expect(server.output).to match(/the application is broken/).and match(/app\.rb:\d+/)
    expect(effects("at_exit").size).to eq(1)
  end
end

Conformance.describe "an application that exits while it is loaded" do
  app "exit 7"

  scenario { fail_to_start }

  it("keeps its exit status") { expect(server.status.exitstatus).to eq(7) }
end

Conformance.describe "error handlers" do
  app <<~'RUBY'
    class Wrong < Failing; end
    class Once < Failing; sidekiq_options retry: false; end
    class Ok
      include JobModule
      def perform = effect("ok")
    end
    Sidekiq.configure_server do |config|
      config.error_handlers.clear
      config.error_handlers << ->(error, context) { effect("two", error.message, context[:context], context[:job]["jid"], context[:job]["args"]) }
      config.error_handlers << proc { |error, context, config| effect("three", error.class.name, !config.nil?) }
      config.error_handlers << ->(*) { raise "a handler fails" } # the last: 6.4 hands its error to the next
    end
  RUBY

  scenario do
    push("Wrong", 1, jid: "one")
    push("Once", 2, jid: "two", retry: false)
    push("Ok")
    start
    await_effects(1, "ok")
    drained
    @code = server.stop
  end

  it "get the exception and its context, and the configuration where Sidekiq passes it" do
    if generation?("8.0")
      expect(effects("two")).to be_empty.or(contain_exactly(anything, anything))
    else
      expect(effects("two")).to contain_exactly(["boom 1", "Job raised exception", "one", [1]],
                                                ["boom 2", "Job raised exception", "two", [2]])
    end
    expect(effects("three")).to eq([["ArgumentError", generation?("7.1.5")]] * 2)
  end

  it "may fail themselves" do
    expect(server.output).to include("a handler fails")
    expect(@code).to eq(0)
    expect(entries("retry").keys).to eq(["Wrong"])
  end
end
