# frozen_string_literal: true

require "json"

# Arrays of arguments as text, hand-picked and generated.
module JsonCases
  DEEP = ->(levels) { "#{"[" * levels}#{"]" * levels}" }
  MANY = ->(count) { "[{#{(1..count).map { |it| "\"k#{it}\":#{it}" }.join(",")}}]" }

  NATIVE = [
    "[]", "[1]", " [ 1 , 2 ]".lstrip, "[null,true,false]", "[-0,0,-1]", "[4611686018427387903,4611686018427387904]",
    "[9223372036854775807,9223372036854775808,-9223372036854775808,-9223372036854775809]", "[#{"9" * 100}]",
    "[-0.0,0.0,1.5,-1.25e-10,1e3,1E3,1e+3,0.1]",
    '["","a","é","日本","😀"]', '["\"","\\\\","\/","\b\f\n\r\t"]', '["\u0041\u00e9\u65e5","\ud83d\ude00","\u0000"]',
    '["a\u0000b\n"]', "[{}]", "[[]]", '[{"":1}]', '[{"a":{"a":{"a":[]}}}]', '[{"\u0061b":1,"é":2,"a\nb":3}]',
    '[{"a":1},{"a":2}]', '[{"json_class":"String","a":1}]', '["NaN","Infinity"]', "[#{(1..16).to_a.join(",")}]",
    "[[#{(1..33).to_a.join(",")}]]", "[#{DEEP[90]}]", MANY[1], MANY[8], MANY[9], MANY[16], MANY[17], MANY[40],
    MANY[1_000]
  ].freeze

  # Duplicate names, lone surrogates, what is out of range, and more arguments than are passed natively.
  RUBY = [
    '[{"a":1,"a":2}]', '[{"a":{"b":1,"b":2}}]', '[[{"a":1,"\u0061":2}]]', "[#{(1..17).to_a.join(",")}]",
    "[0.#{"1" * 60}]", "[{#{(1..40).map { |it| "\"k#{it}\":#{it}" }.join(",")},\"k1\":0}]"
  ].select { |it| JSON.parse(it) rescue false }.freeze # rubocop:disable Style/RescueModifier

  ODD = [
    '["\ud800"]', '["\udc00\ud800"]', '["\ud800x"]', "[1e400]", "[-1e400]", "[01]", "[1.]", "[.5]", "[+1]", "[NaN]",
    "[1,]", "[,1]", '["\q"]', '["\u12"]', "[{\"a\"}]", "[{1:2}]", "[tru]", "[\"\t\"]", "[/* x */1]", "[#{DEEP[101]}]",
    "[1.7976931348623157e308]", "[5e-324]", "[2.2250738585072014e-308]", "[1e99999]", "[2e-400]", "[0.5#{"0" * 80}1]"
  ].freeze

  module_function

  def all(seed:, count:)
    random = Random.new(seed)
    NATIVE + RUBY + ODD + Array.new(count) { "[#{Array.new(random.rand(5)) { value(random, 0) }.join(",")}]" }
  end

  def value(random, depth)
    case random.rand(depth > 4 ? 6 : 9)
    when 0 then %w[null true false].sample(random: random)
    when 1 then random.rand(-1_000..1_000).to_s
    when 2 then (random.rand((-2**70)..(2**70)) >> random.rand(70)).to_s
    when 3 then float(random)
    when 4, 5 then string(random)
    when 6, 7 then "[#{Array.new(random.rand(40)) do
                         value(random, depth + 1 + random.rand(4))
                       end.first(random.rand(40)).join(", ")}]"
    else "{#{Array.new(random.rand(20)) { "#{string(random)} :#{value(random, depth + 2)}" }.join(",")}}"
    end
  end

  def float(random)
    text = [random.rand * (10**random.rand(-20..20)), [random.bytes(8)].first.unpack1("G")].sample(random: random)
    text.finite? ? JSON.generate(text) : "-0.0e#{random.rand(-3..3)}"
  end

  PIECES = ["a", "key", " ", "é", "日", "😀", '\n', '\"', "\\\\", '\u0041', '\u00e9', '\ud83d\ude00', '\/', "0",
            "\u007f"].freeze

  def string(random)
    "\"#{Array.new(random.rand(6)) { PIECES.sample(random: random) }.join}\""
  end
end
