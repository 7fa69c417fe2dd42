# frozen_string_literal: true

# The demonstration is worth what its summary notices: a run that is as it should be, and each way in which it is not.
require "English"
require "tmpdir"
require_relative "../../demo/lib/demo/summary"

RSpec.describe Demo::Summary do
  kinds = { "receipt-0" => "receipt", "payment-0" => "payment", "stock-0" => "stock", "fraud-0" => "fraud",
            "survey-0" => "survey" }

  let(:ledger) do
    { expected: kinds, effects: kinds.except("fraud-0").transform_values { "1" },
      attempts: kinds.transform_values { |kind| %w[payment stock].include?(kind) ? "2" : "1" },
      lateness: { "survey-0" => "3.5" } }
  end
  let(:books) { { dead_ids: ["fraud-0"], counters: { processed: 7, failed: 2 }, left: {} } }

  # As app/models/ledger.rb, which needs the application.
  def ledger_module(tables)
    Module.new.tap do |fake|
      tables.each { |name, table| fake.const_set(name.upcase, table) }
      fake.define_singleton_method(:read, &:dup)
    end
  end

  def summary
    stub_const("Ledger", ledger_module(ledger))
    described_class.new(double(**books), pace: { jobs: 100, seconds: 0.5 })
  end

  it "finds nothing wrong with a run in which each job had its effect once" do
    expect(summary.problems).to be_empty
    values = summary.to_s.lines.to_h { |line| line.split.first(2) }
    expect(values).to include("enqueued" => "5", "run" => "4", "failed" => "2", "retried" => "2", "scheduled" => "1",
                              "dead" => "1", "lost" => "0", "doubled" => "0", "jobs/s" => "200")
    expect(summary.to_s).to include("late by p50 3.5 ms")
  end

  it "counts as lost what neither ran nor died" do
    ledger[:effects].delete("receipt-0")
    expect(summary.problems).to include("1 jobs are lost")
    expect(summary.to_s).to match(/lost +1 +receipt-0/)
  end

  it "counts as lost a job that should have died and is not in the dead set" do
    books[:dead_ids] = []
    expect(summary.problems).to include("1 jobs are lost", /dead set/)
  end

  it "notices an effect that happened twice" do
    ledger[:effects]["receipt-0"] = "2"
    expect(summary.problems).to include("1 jobs had their effect more than once")
    expect(summary.to_s).to match(/doubled +1 +receipt-0/)
  end

  it "notices a retry too many or too few" do
    ledger[:attempts]["payment-0"] = "3"
    expect(summary.problems).to include(/1 jobs were tried too often or too seldom: payment-0/)
  end

  it "notices counters that disagree with the ledger" do
    books[:counters] = { processed: 6, failed: 3 }
    expect(summary.problems).to include("the counter processed says 6, expected 7",
                                        "the counter failed says 3, expected 2")
  end

  it "notices jobs that are left behind" do
    books[:left] = { "retry set" => 3 }
    expect(summary.problems).to include("jobs are left in the retry set (3)")
  end

  it "notices a job in the dead set that should not have died" do
    books[:dead_ids] = %w[fraud-0 payment-0]
    expect(summary.problems).to include(/dead set/)
  end
end

RSpec.describe "bin/demo" do
  demo = File.expand_path("../../bin/demo", __dir__)

  it "explains itself, with nothing built or installed" do
    help = IO.popen({ "PATH" => "/usr/bin:/bin" }, [demo, "--help"], &:read)
    expect($CHILD_STATUS).to be_success
    expect(help).to include("--keep", "REDIS_URL", "target/demo")
  end

  it "compiles nothing but the gem, and not even that for another server" do
    Dir.mktmpdir("footplate-demo-spec-") do |dir|
      calls = File.join(dir, "calls")
      script = "#!/bin/sh\necho $0 >>#{calls}\nexit 1\n"
      %w[cargo rake].each { |name| File.write(File.join(dir, name), script, perm: 0o755) }
      env = { "PATH" => "#{dir}:#{ENV.fetch("PATH")}", "FOOTPLATE_DEMO_SERVER" => "none",
              "REDIS_URL" => "redis://127.0.0.1:1/0" }
      said = IO.popen(env, [demo], err: %i[child out], &:read)
      expect(said).to include("Running the demonstration", "REDIS_URL is set, but")
      expect(File.exist?(calls)).to be(false)
    end
  end

  it "refuses an argument that it does not know" do
    error = IO.popen([demo, "--kepp"], err: %i[child out], &:read)
    expect($CHILD_STATUS.exitstatus).to eq(2)
    expect(error).to include("--kepp", "--help")
  end
end
