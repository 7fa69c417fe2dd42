# frozen_string_literal: true

require_relative "support/conformance"

# What no client of Sidekiq would have written, and what is at the edge of what one could.
Conformance.describe "bad payloads" do
  not_objects = ["[]", "5", '"text"', "null", "true"].freeze
  malformed = ["{", "", "not json", '{"class":"Good","args":[1]', "{\"class\":\"Good\",\"args\":[\"\x01\"]}",
               '{"class":"Good",}'].freeze
  too_deep = %({"class":"Good","args":[#{"[" * 200}#{"]" * 200}],"jid":"deep","retry":true})

  app <<~'RUBY'
    class Good
      include JobModule
      def perform(*args) = effect("good", jid, args.inspect[0, 300], args.first.to_s.bytesize)
    end
    class Two
      include JobModule
      def perform(one, two) = effect("two", one, two)
    end
    NotAClass = 5
    class NoJob; end
    class Stranger
      def jid=(jid); @jid = jid; end
      def perform(*args) = effect("stranger", @jid, args)
    end
    Sidekiq.configure_server do |config|
      config.error_handlers << ->(error, context, *) { effect("error", error.class.name, context[:context], context[:jobstr].to_s[0, 100].scrub) }
      config.death_handlers << ->(job, error) { effect("death", job["class"]) }
    end
  RUBY

  scenario do
    (malformed + not_objects + [too_deep]).each { |string| push_raw(string) }
    push_raw("{\"class\":\"Good\",\"args\":[\"\xFF\xFE\"],\"jid\":\"notutf8\",\"retry\":true}".b)
    push_raw('{"class":"Good","args":[123456789012345678901234567890,-98765432109876543210,1.5e300,0.1,1e400],' \
             '"jid":"numbers","retry":true}')
    push_raw('{"class":"Good","args":["\ud83d\ude00 \u0000 \/ \"\\\"],"jid":"escapes","retry":true}')
    push_raw('{ "args" : [ 1 ] , "class" : "Good" , "jid" : "spaces" }')
    push_raw('{"class":"Good","args":[1]}')
    push_raw('{"class":"Good","args":[2],"jid":"twice","class":"Two"}')
    push_raw('{"class":"Good","jid":"noargs","retry":true}')
    push_raw('{"class":"Good","args":{"a":1},"jid":"hashargs","retry":true}')
    push_raw('{"class":5,"args":[],"jid":"numclass","retry":true}')
    push_raw('{"args":[],"jid":"noclass","retry":true}')
    push_raw('{"class":"lower","args":[],"jid":"lower","retry":true}')
    push("Two", 1, jid: "arity")
    push("NotAClass", jid: "notaclass")
    push("NoJob", jid: "nojob")
    push("Stranger", 4, jid: "stranger")
    push("Good", "x" * (10 << 20), jid: "tenmegabytes")
    push("Good", "last", jid: "last")
    start("-c", "2")
    drained
    @code = server.stop
    @retry = redis.call("ZRANGE", "retry", 0, -1).to_h do |job|
      JSON.parse(job).then do |parsed|
        [parsed["jid"], parsed]
      end
    end
    @dead = redis.call("ZRANGE", "dead", 0, -1)
    @good = effects("good").to_h { |jid, *rest| [jid, rest] }
  end

  it "goes on with what is good, and stops with 0" do
    expect(@good).to include("last" => ['["last"]', 4])
    expect(@code).to eq(0)
  end

  it "puts what is no JSON into the dead set as it is, and tells the error handlers" do
    malformed.each { |string| expect(@dead.map(&:b)).to include(string.b) }
    reported = effects("error").select { |error| error[1] == "Invalid JSON for job" }
    malformed.each { |string| expect(reported.map(&:last)).to include(string[0, 100]) }
    expect(effects("death")).to be_empty
  end

  it "puts JSON that is no object into the dead set as it is" do
    not_objects.each { |string| expect(@dead).to include(string) }
  end

  it "puts what is nested too deeply for JSON.parse into the dead set as it is" do
    expect(@dead).to include(too_deep)
  end

  it "counts nothing of it" do
    malformed_jobs = malformed.size + not_objects.size + 1
    expect(@dead.size).to be >= malformed_jobs
    ran = @good.size + effects("stranger").size + effects("two").size
    expect(processed).to eq(ran + @retry.size + (@dead.size - malformed_jobs))
  end

  it "runs numbers beyond 64 bits, escapes, spaces and 10 MB as Ruby reads them" do
    expect(@good.fetch("numbers").first)
      .to start_with("[123456789012345678901234567890, -98765432109876543210, 1.5e+300, 0.1, ")
    expect(@good.fetch("escapes").first).to eq(["\u{1F600} \u0000 / \"\\"].inspect)
    expect(@good.fetch("spaces").first).to eq("[1]")
    expect(@good.fetch("tenmegabytes").last).to eq(10 << 20)
  end

  it "runs a job without jid, retry and queue" do
    expect(@good.fetch(nil)).to eq(["[1]", 1])
  end

  it "reads a key that is there twice as Ruby does" do
    expect(@good).not_to include("twice")
  end

  it "treats invalid UTF-8 as this machine's JSON.parse does" do
    string = (+"[\"\xFF\xFE\"]").force_encoding("UTF-8")
    parsed = (JSON.parse(string) rescue nil) # rubocop:disable Style/RescueModifier
    expect(parsed ? @good.include?("notutf8") : @dead.any? { |job| job.include?("notutf8") }).to be(true)
  end

  it "retries what is an error of the job or its class" do
    expect(@retry.fetch("arity")).to include("error_class" => "ArgumentError", "error_message" => /given 1, expected 2/)
    expect(@retry.fetch("notaclass")).to include("error_class" => "NoMethodError")
    expect(@retry.fetch("nojob")).to include("error_class" => "NoMethodError")
    expect(@retry.fetch("lower")).to include("error_class" => "NameError")
    expect(@retry).to include("numclass", "noclass")
    expect(@retry.fetch("noclass")).to include("retry_count" => 0, "error_class" => "TypeError")
  end

  it "runs a class that only looks like a job" do
    expect(effects("stranger")).to eq([["stranger", [4]]])
  end

  it "splats what stands in args, as Ruby does" do
    expect(@good.fetch("noargs").first).to eq("[]")
    expect(@good.fetch("hashargs").first).to eq('[["a", 1]]')
  end
end
