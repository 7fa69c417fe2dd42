# frozen_string_literal: true

require_relative "support/conformance"

# What becomes of a job that succeeds, fails, fails again and fails for the last time.
Conformance.describe "outcomes" do
  app <<~'RUBY'
    class Good
      include JobModule
      def perform(*args) = effect("good", jid, args)
    end
    class Plain < Failing; end
    class Again < Failing; end
    class Last < Failing; end
    class Never < Failing; sidekiq_options retry: false; end
    class Zero < Failing; end
    class Three < Failing; end
    class NoDead < Failing; end
    class Elsewhere < Failing; end
    class Zany
      include JobModule
      def perform = raise("br\xFFken \u00fc")
    end
    class Mute
      include JobModule
      class Broken < StandardError
        def message = raise("no message")
      end
      def perform = raise(Broken)
    end
    class Huge
      include JobModule
      def perform = raise("x" * 20_000)
    end
    class Leaves
      include JobModule
      def perform = exit(3)
    end
    class Mutates
      include JobModule
      def perform(list) = list.clear && raise("changed")
    end
    class NoRetryKey < Failing; end
    class NoRetryKeyNever < Failing; sidekiq_options retry: false; end
    class ExhaustsAt < Failing
      sidekiq_retries_exhausted { |job, error| effect("exhausted", job["class"], job["retry_count"], job["error_message"], error.class.name) }
    end
    class ExhaustsLater < Failing; sidekiq_retries_exhausted { |*| effect("exhausted too early") }; end
    Sidekiq.configure_server do |config|
      config.death_handlers << ->(job, error) { effect("death", job["class"], error.message) }
      config.death_handlers << ->(job, _) { raise "a death handler fails" if job["class"] == "Zero" }
      config.death_handlers << ->(job, _) { effect("second death handler", job["class"]) }
    end
  RUBY

  scenario do
    @before = Time.now.to_f
    @failed_at = stamp(Time.at(@before - 100))
    push("Good", 1, { "a" => [nil, 2.5] }, jid: "feedfeed")
    push("Plain", 1)
    push("Again", retry_count: 0, failed_at: @failed_at, error_class: "Old", error_message: "old")
    push("Last", retry_count: 24, failed_at: @failed_at)
    push("Never", retry: false)
    push("Zero", retry: 0)
    push("Three", retry: 3, retry_count: 2)
    push("NoDead", retry: 0, dead: false)
    push("Elsewhere", retry_queue: "later", unknown: { "kept" => [1, 1.50] })
    %w[Zany Mute Huge Leaves].each { |name| push(name) }
    push("Mutates", [1, 2])
    push("Missing::Job", 1)
    push_raw('{"class":"NoRetryKey","args":[1],"jid":"norekey"}')
    push_raw('{"class":"NoRetryKeyNever","args":[1],"jid":"norekey2"}')
    push("ExhaustsAt", 7, retry: 1, retry_count: 0)
    push("ExhaustsLater", 7, retry: 5)
    start
    drained
    @code = server.stop
    @retry = entries("retry")
    @dead = entries("dead")
  end

  it "runs every job and stops with 0" do
    expect(@code).to eq(0)
    expect(effects("good")).to eq([["feedfeed", [1, { "a" => [nil, 2.5] }]]])
    expect([processed, failed]).to eq([19, 18])
    expect(@retry.merge(@dead)).not_to include("Good")
  end

  it "keeps a first failure for a retry" do
    job = @retry.fetch("Plain")
    expect(job).to include("retry_count" => 0, "error_class" => "ArgumentError", "error_message" => "boom 1",
                           "queue" => "default")
    expect(job["failed_at"]).to be_a(time_type)
    expect(job).not_to include("retried_at")
    expect(job).not_to include("error_backtrace")
    expect(job["score"]).to be_between(@before + 15, Time.now.to_f + 25)
  end

  it "counts a later failure" do
    job = @retry.fetch("Again")
    expect(job).to include("retry_count" => 1, "failed_at" => @failed_at, "error_class" => "ArgumentError")
    expect(job["retried_at"]).to be_a(time_type)
    expect(job["score"]).to be_between(@before + 16, Time.now.to_f + 36)
  end

  it "lets a job die after its last retry" do
    expect(@dead.fetch("Last")).to include("retry_count" => 25)
    expect(@dead.fetch("Zero")).to include("retry_count" => 0)
    expect(@dead.fetch("Three")).to include("retry_count" => 3)
    expect(@dead.fetch("ExhaustsAt")).to include("retry_count" => 1)
    expect(@dead.fetch("Last")["score"]).to be_between(@before, Time.now.to_f)
    expect(@dead.keys).to contain_exactly("Last", "Zero", "Three", "ExhaustsAt")
  end

  it "stores nothing of a job that is never retried, and tells the death handlers" do
    expect(@retry.merge(@dead)).not_to include("Never", "NoDead", "NoRetryKeyNever")
    expect(effects("death").map(&:first)).to contain_exactly("Last", "Never", "Zero", "Three", "NoDead",
                                                             "NoRetryKeyNever", "ExhaustsAt")
    expect(effects("death")).to include(["Zero", "boom "], ["ExhaustsAt", "boom 7"])
    expect(effects("second death handler").map(&:first)).to include("Zero")
    expect(server.output).to include("a death handler fails")
  end

  it "calls the exhausted block once, when retries are exhausted" do
    expect(effects("exhausted")).to eq([["ExhaustsAt", 1, "boom 7", "ArgumentError"]])
    expect(effects("exhausted too early")).to be_empty
  end

  it "moves the retry to retry_queue and keeps what it does not know" do
    expect(@retry.fetch("Elsewhere")).to include("queue" => "later", "retry_queue" => "later",
                                                 "unknown" => { "kept" => [1, 1.5] })
  end

  it "stores messages that are broken, missing and long" do
    expect(@retry.fetch("Zany")["error_message"]).to eq("br\uFFFDken \u00fc")
    expect(@retry.fetch("Mute")["error_message"]).to eq("!!! ERROR MESSAGE THREW AN ERROR !!!")
    expect(@retry.fetch("Huge")["error_message"]).to eq("x" * 10_000)
  end

  it "treats exit as a failure, keeps arguments as they were, retries classes that are not there" do
    expect(@retry.fetch("Leaves")).to include("error_class" => "SystemExit")
    expect(@retry.fetch("Mutates")).to include("args" => [[1, 2]])
    expect(@retry.fetch("Missing::Job")).to include("error_class" => "NameError",
                                                    "error_message" => /uninitialized constant Missing/)
  end

  it "takes the class's word when the payload says nothing about retries" do
    expect(@retry.fetch("NoRetryKey")).to include("retry" => true, "retry_count" => 0, "jid" => "norekey")
  end
end
