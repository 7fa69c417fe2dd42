# frozen_string_literal: true

require_relative "support/conformance"

Conformance.describe "what is raised in a worker outside of any job" do
  app <<~'RUBY'
    class Says
      include JobModule
      WORKERS = Queue.new
      def perform = WORKERS << Thread.current
    end
    # Once it runs no job.
    def strike(worker)
      sleep 0.005 until Sidekiq::Processor.const_get(Sidekiq::VERSION < "6.5" ? :WORKER_STATE : :WORK_STATE).size.zero?
      worker.raise(ArgumentError, "from outside")
    end
    Sidekiq.configure_server do |config|
      config.on(:startup) { Thread.new { strike(Says::WORKERS.pop) until false } }
      config.error_handlers << ->(error, *) { effect("error", error.message, Thread.current[:sidekiq_context].inspect) }
    end
  RUBY

  it "is nobody's in the log" do
    push("Says")
    start("-c", "1")
    message, context = await_effects(1, "error").first
    expect(message).to eq("from outside")
    expect(context).to eq("nil").or eq("{}")
    expect(server.stop).to eq(0)
  end
end

Conformance.describe "a payload that would forge lines of the log" do
  app <<~'RUBY'
    class Fine
      include JobModule
      def perform(*) = logger.info("inside")
    end
    class Wrapper
      include JobModule
      def perform(*); end
    end
    Sidekiq.configure_server { |config| config.error_handlers.clear; config.error_handlers << proc { } }
  RUBY

  scenario do
    forged = "a\nFORGED \e[2J\u0085FORGED \u2028FORGED\rFORGED"
    [{}, { log_level: "info" }].each do |fields|
      push("Fine", 1, jid: forged, **fields)
      push("Fine", 2, jid: "deleted\u007f", **fields)
      push("Fine", 3, jid: "tags", tags: [forged, "two"], **fields)
      push("Fine", 4, jid: "bid", bid: forged, **fields)
      push("Wrapper", 5, jid: "wrapped", wrapped: forged, **fields)
      push(forged, 6, jid: "class", retry: 0, **fields)
    end
    push("Fine", 7, jid: "last")
    start("-c", "1")
    drained
    server.stop
  end

  it "is shown with escapes" do
    lines = server.output.split(/[\n\r\u0085\u2028]/)
    expect(lines.grep(/\AFORGED/)).to eq([])
    expect(server.output.gsub(/\e\[[\d;]+m/, "")).not_to match(/[\e\u007f]/)
    expect(server.lines.grep(/start|done|fail/).grep(/a\\nFORGED \\e\[2J\\u0085FORGED \\u2028FORGED\\rFORGED/).size)
      .to be >= 20
  end
end
