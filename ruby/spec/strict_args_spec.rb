# frozen_string_literal: true

require "logger"
require "stringio"

RSpec.describe Footplate::StrictArgs do
  def check(*args, mode: :raise, logger: nil)
    described_class.check({ "class" => "Job", "args" => args }, mode, logger: logger)
  end

  it "lets everything pass that JSON gives back unchanged" do
    expect { check(nil, true, false, 1, 2**70, 1.5, "a", [1, [nil]], { "a" => { "b" => [1] } }) }.not_to raise_error
  end

  it "finds what JSON would change, however deep", :aggregate_failures do
    text = Class.new(String)
    [:a, Time.now, Object.new, 1r, text.new("a"), { a: 1 }, { 1 => 2 }, [[:a]],
     { "a" => [{ "b" => :c }] }].each do |bad|
      expect { check(1, bad) }.to raise_error(ArgumentError, /arguments to Job must be native JSON types/)
    end
  end

  it "names the offender and the wrapped class" do
    payload = { "class" => "Wrapper", "wrapped" => "Inner", "args" => [:sym] }
    expect { described_class.check(payload, :raise) }
      .to raise_error(ArgumentError, /arguments to Inner .* but :sym is a Symbol/)
  end

  it "only warns, or does not look, when told so" do
    log = StringIO.new
    check(:a, mode: :warn, logger: Logger.new(log))
    expect(log.string).to include(":a is a Symbol")
    expect { check(:a, mode: false) }.not_to raise_error
  end
end
