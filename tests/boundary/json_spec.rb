# frozen_string_literal: true

require_relative "support/json_cases"
require_relative "support/server"

# What a native job is given, compared in the server with what JSON.parse makes of the same bytes.
RSpec.describe "The native reader of arguments" do
  app = <<~'RUBY'
    CASES = File.readlines("cases", chomp: true)

    # Everything that a job could notice.
    def picture(it)
      case it
      when Hash then [Hash, it.default, it.frozen?, it.compare_by_identity?, it.map { |k, v| [key(k), picture(v)] }]
      when Array then [Array, it.frozen?, it.map { |each| picture(each) }]
      when String then [it, it.encoding, it.frozen?, it.valid_encoding?]
      when Float then [Float, it.nan? ? "NaN" : [it].pack("G")]
      else [it.class, it, it.frozen?]
      end
    end

    def key(it) = [it, it.encoding, it.frozen?, it.equal?(-it)]

    class Compare
      include Footplate::Job
      sidekiq_options retry: false

      def perform(*args)
        index = jid.to_i
        way = caller.any? { |it| it.include?("/server/job/processor.rb") } ? "ruby" : "native"
        expected = JSON.parse(CASES[index])
        expected.each { |it| it << "x" if it.is_a?(String) }
        args.each { |it| it << "x" if it.is_a?(String) }
        same = picture(args) == picture(expected)
        mark("#{index} #{way} #{same ? "same" : "DIFFERENT #{args.inspect} #{expected.inspect}"[0, 300]}")
      end
    end
  RUBY

  def run_cases(app, cases)
    Server.run(app, threads: 2) do |server|
      File.write(File.join(server.dir, "cases"), cases.map { |it| "#{it}\n" }.join)
      cases.each_with_index { |json, index| server.push("Compare", [json], jid: index.to_s) }
      server.start
      server.await_idle(within: 120)
      ways = server.ledger.to_h { |line| line.split(" ", 3).then { |index, way, rest| [Integer(index), [way, rest]] } }
      expect(ways.values.map(&:last).grep_v("same")).to be_empty
      ways.transform_values(&:first)
    end
  end

  def parses?(json)
    JSON.parse(json) && true
  rescue JSON::ParserError
    false
  end

  it "gives what JSON.parse gives, or leaves it to JSON.parse" do
    cases = JsonCases.all(seed: RSpec.configuration.seed, count: 3_000)
    ways = run_cases(app, cases)
    # What JSON.parse refuses never runs.
    expect(ways.keys).to match_array(cases.each_index.select { |index| parses?(cases[index]) })
    expect(ways.values.count("native")).to be > cases.size / 2
  end

  it "reads the plain ones by itself, and not what versions of JSON.parse differ about" do
    ways = run_cases(app, JsonCases::NATIVE + JsonCases::RUBY)
    native, ruby = ways.partition { |index, _| index < JsonCases::NATIVE.size }
    expect(native.size).to eq(JsonCases::NATIVE.size)
    expect(native.reject { |_, way| way == "native" }.map { |index, _| JsonCases::NATIVE[index][0, 80] }).to be_empty
    expect(ruby.map(&:last).uniq).to eq(["ruby"])
  end
end
