# frozen_string_literal: true

RSpec.describe Footplate::Config::Capsules do
  subject(:config) { Footplate.config }

  it "has a default one, which the short forms change" do
    config.concurrency = "7"
    config.queues = %w[a b]

    expect(config.capsules.keys).to eq(["default"])
    expect([config.concurrency, config.queues, config.default_capsule.mode]).to eq([7, %w[a b], :strict])
  end

  it "adds others and finds them again" do
    config.capsule("mail") { |c| c.concurrency = 2 }
    config.capsule(:mail) { |c| c.queues = ["mail"] }

    expect(config.capsules.keys).to eq(%w[default mail])
    expect(config.total_concurrency).to eq(config.concurrency + 2)
    expect(config.capsule("mail").queues).to eq(["mail"])
  end

  it "reads queues in every way people write them" do
    capsule = config.default_capsule
    [["a,3", "b"], [["a", 3], "b"], { "a" => 3, "b" => 0 }].each do |list|
      capsule.queues = list
      expect(capsule.weights).to eq("a" => 3, "b" => 0)
      expect([capsule.queues, capsule.mode]).to eq([%w[a a a b], :weighted])
    end
    capsule.queues = { a: 1, b: 1 }
    expect(capsule.mode).to eq(:random)
  end

  it "refuses a concurrency that cannot work" do
    [0, -1, "many"].each { |bad| expect { config.concurrency = bad }.to raise_error(ArgumentError) }
  end

  it "copies the application's middleware when first asked" do
    one = Class.new
    two = Class.new
    config.server_middleware { |chain| chain.add(one) }
    config.capsule("mail").server_middleware { |chain| chain.add(two) }

    expect(config.server_middleware.map(&:klass)).to eq([one])
    expect(config.capsule("mail").server_middleware.map(&:klass)).to eq([one, two])
  end
end
