# frozen_string_literal: true

require "spec_helper"
require "footplate/server/boot/boot_failure"
require "footplate/server/boot/redis_settings"

RSpec.describe Footplate::Server::Secrets do
  # Each holds `s3cret` where a password may stand, some of them only for people.
  urls = [
    "redis://:s3cret@h:6379/0", "redis://u:s3cret@h", "redis://s3cret@h", "redis://:sec/s3cret@h:6379/0",
    "redis://s3cret/x@h", "redis://:s3cret/x@h:6379/0", "redis://u:a@s3cret@h", "redis://u:s3cret@a@h",
    "redis://:s3cret 2@h/0", "redis://:2 s3cret@h/0", "redis://:p#s3cret@h", "redis://:s3cret?w@h",
    "redis://u:p:s3cret@h:1/2", "redis://:s3cretä@h", "redis://:%zzs3cret@h", "redis:s3cret@h", "redis:/:s3cret@h",
    "u:s3cret@h:6379", ":s3cret@h", "//u:s3cret@h", "redis://u:s3cret@", "redis://u:s3cret@/2",
    "redis://:s3cret://b@h", "redis://:a://s3cret@h", "http://u:s3cret@h", "REDISS://u:s3cret@h",
    "redis://u:s3cret@h:port/1", "redis://u:\"s3cret@h", "redis://u:s3cret\"w@h", "redis://u:'s3cret@h",
    "unix://:s3cret@/run/redis.sock", "rediss://default:s3cret@h.example:6380?db=1", " redis://u:s3cret@h",
    "redis://u:s3cret@[::1]:1", "redis://u:s3cret@h,redis://u:s3cret@i", "s3cret@h:6379"
  ]
  ways = { "alone" => ->(url) { url }, "in a sentence" => ->(url) { "cannot use #{url} (RuntimeError)" },
           "quoted" => ->(url) { "bad URI: #{url.inspect}" }, "as an option" => ->(url) { { url: url }.inspect } }

  # What one example has it remember is nothing to the others.
  before { described_class.instance_variable_set(:@remembered, nil) }

  def with_env(values)
    before = values.keys.to_h { |key| [key, ENV.fetch(key, nil)] }
    ENV.update(values)
    yield
  ensure
    ENV.update(before)
  end

  ways.each do |way, write|
    it "hides whatever may be a password in a URL #{way}" do
      leaks = urls.select { |url| described_class.hide(write.call(url)).include?("s3cret") }
      expect(leaks).to be_empty
    end
  end

  it "hides the words of a URL that was misread, where the environment has it" do
    { "redis://s3cret/x@h" => "Error connecting to Redis on s3cret:6379",
      "redis://a/s3cret@h" => 'invalid value for Integer(): "s3cret"',
      "redis://u:line\ns3cret@h" => "redis://u:line\ns3cret@h",
      "s3cret@h" => "unknown host s3cret",
      "redis://u:s3cret@h" => 'invalid value for Integer(): "s3cret"' }.each do |url, text|
      with_env("REDIS_URL" => url) { expect(described_class.hide(text)).not_to include("s3cret") }
      with_env("REDIS_PROVIDER" => "MINE", "MINE" => url) do
        expect(described_class.hide(text)).not_to include("s3cret")
      end
    end
  end

  it "hides passwords among options" do
    [{ password: "s3cret" }, { "password" => "s3cret" }, { pass: "s3cret" },
     { sentinel_password: "s3\"s3cret" }].each do |options|
      expect(described_class.hide(options.inspect)).not_to include("s3cret")
      expect(described_class.hide(JSON.generate(options))).not_to include("s3cret")
    end
    expect(described_class.hide("password=s3cret, db=1")).to eq("password=REDACTED, db=1")
  end

  it "hides what a server quotes that does not know how a client says its password" do
    ["ERR unknown command `AUTH`, with args beginning with: `s3cret`, ",
     "ERR unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'default' 's3cret' "].each do |text|
      expect(described_class.hide(text)).not_to include("s3cret")
    end
  end

  it "hides the password that a connection has, wherever it stands" do
    options = { host: "h", password: "s3cret" }
    Footplate::Server::RedisSettings.of(Footplate::Redis::Driver.factory(options).call)
    expect(described_class.hide('["AUTH", "u", "s3cret"], not s3crets')).to eq('["AUTH", "u", "REDACTED"], not s3crets')
  end

  it "leaves the rest" do
    ["redis://h:6379/0 and redis://[::1]:1", "unix:///run/app@1/redis.sock db 0", "unix:/run/app@1.sock (database 0)",
     "undefined method `x' for nil:NilClass", "write to ops@example.com", "instance variable @a of Foo::Bar @b",
     "Cannot work with Redis at redis://h:1/0: Connection refused (Errno::ECONNREFUSED)"].each do |text|
      expect(described_class.hide(text)).to eq(text)
    end
    expect(described_class.hide("redis://u:p@h:1/0 is not redis://u:p@i:2/0"))
      .to eq("redis://REDACTED@h:1/0 is not redis://REDACTED@i:2/0")
  end

  it "is asked about every line of a failed start, in whatever encoding" do
    errors = urls.map { |url| RuntimeError.new("no #{url}") } + urls.map { |url| Footplate::Server::BootError.new(url) }
    errors.push(RuntimeError.new("\xFF redis://:s3cret@h".b),
                RuntimeError.new("é redis://:s3cret@h".encode("UTF-16LE")),
                RuntimeError.new("\xE9 redis://:s3cret@h".dup.force_encoding("US-ASCII")),
                RuntimeError.new("é redis://:s3cret@h".encode("ISO-8859-1")))
    lines = errors.flat_map { |error| Footplate::Server::BootFailure.new(error, verbose: true).lines }
    expect(lines.grep(/s3cret/)).to be_empty
    expect(lines).to all(be_valid_encoding)
    failing = Class.new(StandardError) { def message = raise("no") }
    expect(Footplate::Server::BootFailure.new(failing.new).lines.first).to include("cannot be read")
  end

  it "is spared a URL of which a part may be taken for the host" do
    urls.each do |url|
      settings = Footplate::Server::RedisSettings.of(Footplate::Redis::Driver.factory({ url: url }).call)
      shown = [Footplate::Server::RedisSettings.describe(settings), Footplate::Server::RedisSettings.scrubbed(settings)]
      expect(shown.to_s).not_to include("s3cret"), url
    rescue Footplate::Server::BootError => e
      expect(e.message).not_to include("s3cret")
    rescue ArgumentError, URI::Error => e
      expect(Footplate::Server::RedisSettings.unusable(e).message).not_to include("s3cret")
    end
  end
end
