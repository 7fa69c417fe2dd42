# frozen_string_literal: true

RSpec.describe Footplate::Middleware::Chain do
  recorder = Class.new do
    attr_accessor :config

    def initialize(name = nil) = @name = name

    def call(log, *)
      log << [:before, @name || self.class.name, config]
      yield.tap { log << [:after, @name || self.class.name] }
    end
  end
  first = Class.new(recorder)
  second = Class.new(recorder)
  third = Class.new(recorder)

  subject(:chain) { described_class.new }

  let(:classes) { chain.entries.map(&:klass) }

  it "runs its middleware around the block, in order, and returns what the outermost returns" do
    chain.add(first, 1)
    chain.add(second, 2)
    log = []

    expect(chain.invoke(log) { (log << :block) && :result }).to eq(:result)
    expect(log).to eq([[:before, 1, nil], [:before, 2, nil], :block, [:after, 2], [:after, 1]])
  end

  it "returns the block's result when it is empty" do
    expect(chain.invoke(:a) { 42 }).to eq(42)
  end

  it "makes new instances per invocation and hands them its configuration" do
    seen = []
    spy = Class.new(recorder) { define_method(:call) { |*, &block| (seen << [object_id, config]) && block.call } }
    chain = described_class.new(:configuration) { |c| c.add(spy) }
    kept = [chain.retrieve.first, chain.retrieve.first]

    2.times { chain.invoke([]) { nil } }
    expect(kept.first).not_to equal(kept.last)
    expect(seen.map(&:last)).to eq(%i[configuration configuration])
  end

  it "stops where a middleware does not yield" do
    chain.add(Class.new { def call(*) = nil })
    expect(chain.invoke { raise "not reached" }).to be_nil
  end

  it "adds, prepends and moves" do
    chain.add(second)
    chain.add(third)
    chain.prepend(first)
    expect(classes).to eq([first, second, third])

    chain.add(first)
    expect(chain.entries.map(&:klass)).to eq([second, third, first])
  end

  it "inserts before and after, keeping the arguments of what it moves" do
    chain.add(first, :kept)
    chain.add(second)
    chain.insert_before(second, third)
    chain.insert_after(second, first, :ignored)

    expect(classes).to eq([third, second, first])
    expect(chain.entries.last.args).to eq([:kept])
  end

  it "inserts at an end when the other class is absent" do
    chain.add(first)
    chain.insert_before(String, second)
    chain.insert_after(String, third)
    expect(classes).to eq([second, first, third])
  end

  it "removes, clears and tells what it holds" do
    chain.add(first)
    chain.add(second)
    chain.remove(first)
    expect([chain.exists?(first), chain.exists?(second), chain.empty?]).to eq([false, true, false])
    chain.clear
    expect(chain).to be_empty
  end

  it "is copied without sharing" do
    chain.add(first)
    copies = [chain.dup, chain.copy_for(:capsule)]
    copies.each { |copy| copy.add(second) }

    expect(classes).to eq([first])
    expect(copies.map { |copy| copy.entries.map(&:klass) }).to all(eq([first, second]))
    expect(copies.last.retrieve.first.config).to eq(:capsule)
  end
end
