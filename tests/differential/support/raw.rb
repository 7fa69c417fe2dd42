# frozen_string_literal: true

##
# Payloads that no client of Sidekiq writes, but somebody's hand or another language's may. Some are jobs to JSON.parse,
# some are not, and which ones depends on its version: the servers must agree.
module Raw
  FIELDS = %("jid":"raw","queue":"low","retry":false)

  def self.marking(id, more, fields = FIELDS)
    %({"class":"Marking","args":["raw #{id}",#{more}],#{fields}}).b
  end

  def self.nested(depth)
    "#{"[" * depth}#{"]" * depth}"
  end

  NO_JSON = ["{", "", "not json", "{\"class\":\"Marking\",\"args\":[1", "{\"args\":[}", "{}{}", "\xEF\xBB\xBF{}",
             "nul"].freeze

  JOBS = {
    "invalid UTF-8" => marking(1, "\"\xff\xfe\""),
    "nested to the limit" => marking(2, nested(98)),
    "nested beyond the limit" => marking(3, nested(99)),
    "nested far beyond it" => marking(4, nested(10_000)),
    "numbers beyond 64 bits" => marking(5,
                                        "123456789012345678901234567890, -9223372036854775809, 18446744073709551616"),
    "a float beyond all" => marking(6, "1e400"),
    "forms of numbers" => marking(7, "-0, 1E5, 0.1e-7, -0.0"),
    "a leading zero" => marking(8, "01"),
    "a leading plus" => marking(9, "+1"),
    "not a number" => marking(10, "NaN"),
    "infinity" => marking(11, "-Infinity"),
    "a key twice" => marking(12, "{\"a\":1,\"a\":2}", "#{FIELDS},\"retry\":true"),
    "space everywhere" => " \n\t{ \"class\" : \"Marking\" ,\r\n \"args\" : [ \"raw 13\" ] , \"queue\" : \"low\" } \n",
    "a lone surrogate" => marking(14, "\"\\ud800\""),
    "a pair of surrogates" => marking(15, "\"\\ud834\\udd1e\\u0000\""),
    "a wrong escape" => marking(16, "\"\\x\""),
    "a control character" => marking(17, "\"a\u0001b\""),
    "a line break in a string" => marking(18, "\"a\nb\""),
    "a comment" => marking(19, "1 /* what */"),
    "a trailing comma" => marking(20, "1,"),
    "no jid" => marking(21, "1", "\"queue\":\"low\",\"retry\":false"),
    "no queue" => marking(22, "1", "\"jid\":\"x\",\"retry\":false"),
    "no retry" => marking(23, "1", "\"jid\":\"x\",\"queue\":\"low\""),
    "a jid that is a number" => marking(24, "1", "\"jid\":17,\"queue\":\"low\""),
    "something behind" => "#{marking(25, "1")} x",
    "a nul behind" => "#{marking(26, "1")}\u0000",
    "escapes in keys" => %({"cl\\u0061ss":"Marking","\\u0061rgs":["raw 27"],"queue":"low"}),
    "a megabyte" => marking(28, "\"#{"x" * 1_000_000}\""),
    "an object that makes objects" => marking(29, "{\"json_class\":\"Range\",\"a\":[1,2,false]}")
  }.freeze

  def self.all
    NO_JSON + JOBS.values
  end
end
