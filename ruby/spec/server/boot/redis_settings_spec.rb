# frozen_string_literal: true

require "spec_helper"
require "openssl"
require "footplate/server/boot/redis_settings"

RSpec.describe Footplate::Server::RedisSettings do
  # Without the sidekiq gem. What is silent in between stands for the gem's own defaults.
  def of(options)
    Footplate.configure { |config| config.redis = options }
    described_class.of_footplate
  end

  def refusal(options)
    of(options)
    raise "nothing was refused"
  rescue Footplate::Server::BootError => e
    e.message
  end

  # The gems' readings differ; the engine's is that of the gem at hand, and so is that of a URL's every part.
  redis_client = InstalledGems.has?("redis-client")
  {
    { host: "h", port: "6380", db: "2" } => { host: "h", port: 6380, db: 2 },
    { url: "redis://h/1", "db" => "3" } => { host: "h", port: 6379, db: 3 },
    { url: "redis://h", ssl_params: { verify_mode: 0 } } => { host: "h", port: 6379, db: 0 },
    { url: "redis://h", ssl: true } => { host: "h", port: 6379, db: 0, tls: {} },
    { url: "rediss://h", ssl_params: { verify_mode: 0 } } => { host: "h", port: 6379, db: 0, tls: { verify: false } },
    { url: "redis://h?db=2" } => { host: "h", port: 6379, db: redis_client ? 2 : 0 },
    { url: "redis://pw@h" } => { host: "h", port: 6379, db: 0 }.merge(redis_client ? { password: "pw" } : {}),
    { url: "redis://u:p%40w@[::1]:1/2" } =>
      { host: "::1", port: 1, db: 2, username: "u", password: "p@w", **(redis_client ? {} : { password_alone: true }) },
    { url: "redis://h", password: 12_345 } => { host: "h", port: 6379, db: 0, password: "12345" },
    { path: "/s", db: 2, ssl: true } => { path: "/s", db: 2 }
  }.each do |options, settings|
    it "hands on how the client reads #{options}" do
      expect(of(options).except(:ssl_params)).to eq(settings.merge(connect_timeout: 3.0, response_timeout: 3.0))
    end
  end

  it "overlooks REDIS_URL where the options name a place, as the documentation says" do
    before = ENV.fetch("REDIS_URL", nil)
    ENV["REDIS_URL"] = "redis://:pw@elsewhere:1/7"
    expect(of({ host: "h" })).to include(host: "h", port: 6379, db: 0)
    expect(of({ host: "h" })).not_to have_key(:password)
  ensure
    ENV["REDIS_URL"] = before
  end

  it "keeps waiting times within what the engine can wait" do
    expect(of({ host: "h", timeout: 0 })).not_to include(:connect_timeout, :response_timeout)
    expect(of({ host: "h", timeout: 2, connect_timeout: 1e12 }))
      .to include(connect_timeout: described_class::Fields::LONGEST, response_timeout: 2.0)
  end

  { { db: "two" } => /db must be a whole number, not "two"/, { db: 1.5 } => /db must be a whole number/,
    { db: -1 } => /db of the Redis connection: -1/, { db: 2**70 } => /db of the Redis connection: \d+/,
    { port: 0 } => /port of the Redis connection: 0/, { port: 65_536 } => /port .*: 65536 .* 65535 or less/,
    { port: "x" } => /port must be a whole number/, { password: "p\xff" } => /password .* is not UTF-8/,
    { url: "http://h" } => %r{write special characters .* begin it with redis://} }.each do |options, sentence|
    it "refuses #{options} in one sentence" do
      expect(refusal({ host: "h" }.merge(options))).to match(sentence)
    end
  end

  it "takes sentinels" do
    settings = of({ name: "m", sentinels: [{ "host" => "a", "port" => 1, "password" => "s" }], password: "p" })
    expect(settings).to include(name: "m", password: "p", sentinels: [{ host: "a", port: 1, password: "s" }])
    expect(described_class.describe(settings)).to eq("master m of the sentinels a:1")
    expect(described_class.scrubbed(settings).to_s).not_to include('"p"', '"s"')
  end

  it "says of a client without an address that it cannot be followed" do
    expect { described_class.of(Object.new) }.to raise_error(Footplate::Server::BootError, /of a kind .*Object/)
  end

  it "tells keyspaces apart" do
    same = [{ host: "localhost" }, { host: "127.0.0.1", port: 6379, password: "x" }, { host: "::1", db: 0 }]
    other = [{ host: "h" }, { port: 1 }, { db: 1 }, { path: "/s" }, { namespace: "n" }, { name: "m", sentinels: [] }]
    same, other = [same, other].map do |all|
      all.map { |it| described_class.keyspace({ db: 0, host: "127.0.0.1" }.merge(it)) }
    end
    expect(same.uniq.size).to eq(1)
    expect(other).not_to include(same[0])
  end

  it "takes what the redis gem 4 made of its options" do
    options = { scheme: "rediss", host: "h", port: 1, db: 3, username: "u", password: "p", ssl: true,
                ssl_params: { verify_mode: 0, ca_file: __FILE__ }, connect_timeout: 1.0, read_timeout: 2.0 }
    expect(described_class.from_redis_gem(options)).to eq(
      host: "h", port: 1, db: 3, username: "u", password: "p", password_alone: true,
      tls: { ca_file: __FILE__, verify: false }, ssl_params: options[:ssl_params],
      connect_timeout: 1.0, response_timeout: 2.0
    )
    expect(described_class.from_redis_gem({ path: "/s", host: "h", port: 1, db: 0 })).to eq(path: "/s", db: 0)
    expect(described_class.from_redis_gem({ sentinels: [{ host: "a" }], host: "m", port: 1, db: 0 }))
      .to eq(name: "m", sentinels: [{ host: "a" }], db: 0)
  end

  it "names places without secrets" do
    expect(described_class.describe({ host: "h", tls: {}, password: "x" })).to eq("rediss://h:6379/0")
    expect(described_class.describe({ path: "/run/r.sock" })).to eq("unix:///run/r.sock db 0")
    expect(described_class.describe({})).to eq("redis://localhost:6379/0")
  end

  describe Footplate::Server::RedisSettings::Tls do
    it "gives a key in memory a file that nobody else finds" do
      key = OpenSSL::PKey::RSA.new(1024)
      path = described_class.read({ key: key, cert: __FILE__ }).fetch(:key_file)
      expect(File.read(path)).to eq(key.to_pem)
      expect(described_class.read({ key: key })[:key_file]).to eq(path)
      expect(File.readlink(path)).to end_with(" (deleted)") if path.start_with?("/proc")
    end

    it "names a file that cannot be read" do
      expect { described_class.read({ key: "/nowhere.pem" }) }
        .to raise_error(Footplate::Server::BootError, %r{ssl_params\[:key\] .*: /nowhere\.pem cannot be read})
    end

    it "says what the engine cannot follow" do
      params = { ca_file: "x", cert_store: 1 }
      expect(described_class.warnings({ ssl_params: params, tls: {} }))
        .to contain_exactly(/\Assl_params\[:cert_store\] is not used/)
      expect(described_class.warnings({ ssl_params: params })).to contain_exactly(/has ssl_params but no TLS/)
      expect(described_class.warnings({})).to be_empty
    end
  end
end
