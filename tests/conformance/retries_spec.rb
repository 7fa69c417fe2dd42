# frozen_string_literal: true

require "zlib"
require_relative "support/conformance"

# What a job class may say about its retries, and what of an error is kept.
Conformance.describe "retries" do
  app <<~'RUBY'
    # Delays that the block answers, by class.
    { "Soon" => 100, "Fraction" => 100.9, "Text" => "100", "Nothing" => nil, "Negative" => -5, "Nought" => 0, "Odd" => :odd,
      "Kills" => :kill, "Discards" => :discard }.each do |name, answer|
      klass = Class.new(Failing)
      Object.const_set(name, klass)
      klass.sidekiq_retry_in { |count, error, *rest| effect("asked", klass.name, count, error.class.name, rest.size) && answer }
    end
    class Asks < Failing
      sidekiq_retry_in { |count, *| raise NotImplementedError, "in the block" }
    end
    class ForWhile < Failing; end
    class ForOver < Failing; end
    class Counted < Failing; end
    class ExhaustedDiscard < Failing
      sidekiq_retries_exhausted { |*| :discard }
    end
    class ExhaustedRaises < Failing
      sidekiq_retries_exhausted { |*| raise "in the exhausted block" }
    end
    class Undying < Failing; end
    class Deep
      include JobModule
      def perform(depth) = depth.zero? ? raise("deep") : perform(depth - 1)
    end
    class Deeper < Deep; end
    class Base < Failing
      sidekiq_options retry: 7, backtrace: true
    end
    Sidekiq.configure_server do |config|
      config.death_handlers << ->(job, error) { effect("death", job["class"], error.class.name, job.key?("discarded_at")) }
    end
  RUBY

  scenario do
    @before = Time.now.to_f
    %w[Soon Fraction Text Nothing Negative Nought Odd Kills Discards Asks].each { |name| push(name, retry_count: 1) }
    push("ForWhile", retry: 0, retry_for: 1000, failed_at: stamp(Time.now - 500), retry_count: 3)
    push("ForOver", retry_for: 1000, failed_at: stamp(Time.now - 1500), retry_count: 3)
    push("Counted", retry: 1, retry_for: 1000, failed_at: stamp(Time.now - 500), retry_count: 3)
    push("ExhaustedDiscard", retry: 0)
    push("ExhaustedRaises", retry: 0)
    push("Undying", retry: 0, dead: false)
    push("Deep", 30, backtrace: true)
    push("Deeper", 30, backtrace: 3)
    push("Base", retry: nil)
    start("-c", "3")
    drained
    @code = server.stop
    @retry = entries("retry")
    @dead = entries("dead")
  end

  # The delay is that of the third failure, or what the block said, and up to 30 s at random upon it.
  def delay(name)
    @retry.fetch(name)["score"] - @before
  end

  it "waits as long as sidekiq_retry_in says" do
    expect(delay("Soon")).to be_between(100, 140)
    expect(delay("Fraction")).to be_between(100, 140)
    expect(delay("Text")).to be_between(100, 140)
  end

  it "waits as long as usual when it says nothing sensible or raises" do
    %w[Nothing Negative Nought Odd Asks].each { |name| expect(delay(name)).to be_between(31, 72), name }
    expect(server.output).to include("NotImplementedError").and match(/sidekiq_retry_in.*default/)
  end

  it "asks with count, exception and, since 7.0.8, the payload" do
    expect(effects("asked")).to include(["Soon", 2, "ArgumentError", generation?("7.0.8") ? 1 : 0])
    expect(effects("asked").size).to eq(9)
  end

  it "kills and discards when told to" do
    if generation?("6.5.2")
      expect(@dead).to include("Kills")
      expect(@retry.merge(@dead)).not_to include("Discards")
      expect(effects("death")).to include(["Kills", "ArgumentError", false])
      expect(effects("death").include?(["Discards", "ArgumentError", generation?("8.0.8")])).to be(generation?("8.0.7"))
    else
      expect(@retry).to include("Kills", "Discards")
    end
  end

  it "retries for a time instead of a number of times" do
    if generation?("8.1")
      expect(@retry).to include("ForWhile", "Counted")
      expect(@dead).to include("ForOver")
    elsif generation?("7.1.3")
      expect(@dead).to include("ForWhile", "ForOver", "Counted")
    else
      expect(@dead).to include("ForWhile", "Counted")
      expect(@retry).to include("ForOver")
    end
  end

  it "heeds the exhausted block's discard, and survives its errors" do
    expect(@dead.include?("ExhaustedDiscard")).to be(!generation?("7.2"))
    heard = effects("death").map(&:first)
    expect(heard.include?("ExhaustedDiscard")).to be(!generation?("7.2") || generation?("8.0.7"))
    expect(@dead).to include("ExhaustedRaises")
    expect(server.output).to include("in the exhausted block")
  end

  it "tells the death handlers when a job was discarded, since 8.0.8" do
    expect(effects("death")).to include(["Undying", "ArgumentError", generation?("8.0.8")],
                                        ["ExhaustedRaises", "ArgumentError", false])
    expect(@dead).not_to include("Undying")
  end

  it "keeps backtraces, whole or in part, as the dashboard reads them" do
    lines = JSON.parse(Zlib::Inflate.inflate(@retry.fetch("Deep")["error_backtrace"].unpack1("m")))
    expect(lines.size).to be >= 31
    expect(lines.first).to match(/app\.rb:\d+:in .*perform/)
    part = JSON.parse(Zlib::Inflate.inflate(@retry.fetch("Deeper")["error_backtrace"].unpack1("m")))
    expect(part.size).to eq(3)
    expect(@retry.fetch("Deep")["error_backtrace"].include?("\n")).to be(!generation?("7.2.1"))
  end

  it "takes the class's number of retries for a payload whose own is null" do
    expect(@retry.fetch("Base")).to include("retry" => 7, "retry_count" => 0)
  end
end

Conformance.describe "settings of retries and of the dead set" do
  settings = ":max_retries: 3\n:dead_max_jobs: 5\n:dead_timeout_in_seconds: 1000\n"
  app <<~'RUBY', files: { "config/sidekiq.yml" => settings }
    class Twice < Failing; end
    class Third < Failing; end
  RUBY

  scenario do
    10.times { |i| put("dead", Time.now - (i < 4 ? 2000 : 100), "Old#{i}") }
    push("Twice", retry_count: 1)
    push("Third", retry_count: 2)
    start
    drained
    server.stop
  end

  it "heeds max_retries" do
    expect(entries("retry").keys).to eq(["Twice"])
    expect(entries("dead")).to include("Third")
  end

  it "trims the dead set by age and number, to one less than the number as Sidekiq does" do
    expect(entries("dead").keys).to contain_exactly("Third", "Old7", "Old8", "Old9")
  end
end
