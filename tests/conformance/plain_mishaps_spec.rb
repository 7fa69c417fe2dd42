# frozen_string_literal: true

require_relative "support/conformance"

KILLED = "the job's thread ended before the job did: somebody killed it"

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
    class Killed
      include Footplate::Job
      def perform = Thread.current.kill
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
    push("Killed", jid: "k")
    push("Leaves", jid: "l")
    start("-c", "1", env: { "RUBYOPT" => "-rbundler/setup" })
    drained
    @code = server.stop
  end

  it "is heard, and changes nothing about the failure" do
    expect(@code).to eq(0)
    expect(entries("retry").transform_values { |it| it.slice("error_class", "error_message").values }).to eq(
      "Fails" => ["Unreadable", "!!! ERROR MESSAGE THREW AN ERROR !!!"], "Leaves" => ["Footplate::Shutdown"] * 2,
      "Killed" => ["Footplate::JobKilled", KILLED]
    )
    expect(entries("dead").fetch("Dies")).to include("error_message" => "own")
    expect(effects("left")).to eq([["l"]])
    expect(effects("death")).to eq([%w[Dies own]])
    own = %w[Unreadable ArgumentError Footplate::Shutdown].map { |it| [it, "Job raised exception"] }
    expect(effects("error")).to include(*own, ["SystemExit", "Error reading the exception of a job"],
                                        ["NotImplementedError", "Error calling death handler"])
    expect(server.output).to include("!!! ERROR MESSAGE THREW AN ERROR !!! (Unreadable)")
  end

  it "is in the log where no handler can hear of it: a thread that was killed" do
    expect(server.lines.grep(/WARN.*: Killed k: #{KILLED}; the job counts as failed$/).size).to eq(1)
  end
end
