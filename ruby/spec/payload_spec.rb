# frozen_string_literal: true

RSpec.describe Footplate::Payload do
  job_class = Class.new do
    include Footplate::Job
    footplate_options queue: "mail", retry: 3, pool: :elsewhere
    def self.to_s = "MailJob"
  end

  def build(**fields)
    described_class.build({ "class" => "Plain", "args" => [] }.merge(fields.transform_keys(&:to_s)))
  end

  it "adds the defaults, a jid and a creation time" do
    expect(build).to match(
      "retry" => true, "queue" => "default", "class" => "Plain", "args" => [], "jid" => /\A\h{24}\z/,
      "created_at" => Numeric
    )
  end

  it "counts time in the unit of the loaded version of Sidekiq" do
    unit = Footplate::SidekiqGem.version.milliseconds? ? Integer : Float
    scale = unit == Integer ? 1000.0 : 1.0

    expect(build["created_at"]).to be_a(unit)
    expect(build["created_at"] / scale).to be_within(5).of(Time.now.to_f)
  end

  it "merges the class's options below what is given, and drops what is no part of a job" do
    expect(build(class: job_class)).to include("class" => "MailJob", "queue" => "mail", "retry" => 3)
    expect(build(class: job_class, retry: false)).to include("queue" => "mail", "retry" => false)
    expect(build(class: job_class)).not_to have_key("pool")
  end

  it "merges the options of a wrapped class over those of the wrapper" do
    expect(build(wrapped: job_class)).to include("queue" => "mail", "retry" => 3)
    expect(build(wrapped: job_class, queue: "own")).to include("queue" => "own")
  end

  it "keeps a given jid, stringifies queue names and rounds retry_for to seconds" do
    expect(build(jid: "mine", queue: :low, retry_for: 90.5)).to include(
      "jid" => "mine", "queue" => "low", "retry_for" => 90
    )
  end

  it "leaves the caller's hash as it was" do
    item = { "class" => "Plain", "args" => [] }.freeze
    expect { described_class.build(item) }.not_to raise_error
  end

  it "refuses what is no job", :aggregate_failures do
    {
      { class: nil } => /class must be either a Class or String/,
      { args: "one" } => /args must be an Array/,
      { at: "tomorrow" } => /'at' must be a Numeric timestamp/,
      { tags: "one" } => /tags must be an Array/,
      { retry_for: 2_000_000_000 } => /retry_for must be a relative amount of time/,
      { queue: "" } => /must include a valid queue name/,
      { queue: nil } => /must include a valid queue name/,
      { class: String } => /must include a Sidekiq::Job class/
    }.each do |fields, message|
      expect { build(**fields) }.to raise_error(ArgumentError, message)
    end
    expect { described_class.build(nil) }.to raise_error(ArgumentError, /must be a Hash with 'class' and 'args'/)
    expect { described_class.build("class" => "A") }.to raise_error(ArgumentError, /must be a Hash with/)
  end

  describe ".run_at" do
    it "takes small numbers as seconds from now and large ones as times" do
      expect(described_class.run_at(60)).to be_within(1).of(Time.now.to_f + 60)
      later = Time.now.to_f + 3600
      expect(described_class.run_at(Time.at(later))).to eq(later)
    end

    it "is nil for now and the past" do
      expect(described_class.run_at(0)).to be_nil
      expect(described_class.run_at(-5)).to be_nil
      expect(described_class.run_at(Time.now - 60)).to be_nil
    end
  end
end
