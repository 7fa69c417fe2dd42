# frozen_string_literal: true

require "spec_helper"
require "openssl"
require "footplate/server/redis_settings"

RSpec.describe Footplate::Server::RedisSettings do
  it "takes the options of an application without the gem" do
    expect(described_class.from_options({ url: "redis://h/1", timeout: 2, password: "p" }))
      .to eq(url: "redis://h/1", password: "p", connect_timeout: 2.0, response_timeout: 2.0)
    expect(described_class.from_options({ path: "/s", db: 2 })).to eq(path: "/s", db: 2)
    expect(described_class.from_options({})).to eq({})
  end

  it "asks for a computed password once" do
    expect(described_class.from_options({ host: "h", username: "u", password: ->(user) { "of #{user}" } }))
      .to include(username: "u", password: "of u")
  end

  it "takes sentinels as hashes or URLs" do
    sentinels = [{ "host" => "a", "port" => "1" }, "redis://u:p@b:2"]
    settings = described_class.from_options({ name: "m", sentinels: sentinels, sentinel_password: "s" })
    expect(settings).to eq(
      name: "m", sentinels: [{ host: "a", port: 1, password: "s" },
                             { host: "b", port: 2, username: "u", password: "p" }]
    )
    expect(described_class.describe(settings)).to eq("master m of the sentinels a:1, b:2")
    expect(described_class.scrubbed(settings).to_s).not_to include('"p"', '"s"')
  end

  it "takes what the redis gem 4 made of its options" do
    options = { scheme: "rediss", host: "h", port: 1, db: 3, username: "u", password: "p", ssl: true,
                ssl_params: { verify_mode: 0, ca_file: __FILE__ }, connect_timeout: 1.0, read_timeout: 2.0 }
    expect(described_class.from_redis_gem(options)).to eq(
      host: "h", port: 1, db: 3, username: "u", password: "p", tls: { ca_file: __FILE__, verify: false },
      connect_timeout: 1.0, response_timeout: 2.0
    )
    expect(described_class.from_redis_gem({ path: "/s", host: "h", port: 1, db: 0 })).to eq(path: "/s", db: 0)
    expect(described_class.from_redis_gem({ sentinels: [{ host: "a" }], host: "m", port: 1, db: 0 }))
      .to eq(name: "m", sentinels: [{ host: "a" }], db: 0)
  end

  it "names places without secrets" do
    expect(described_class.describe({ host: "h", tls: {}, password: "x" })).to eq("rediss://h:6379/0")
    expect(described_class.describe({ url: "redis://u:x@h/1" })).to eq("redis://u:REDACTED@h/1")
    expect(described_class.describe({ url: "redis://:x@h/1" })).to eq("redis://:REDACTED@h/1")
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
      expect(described_class.warnings({ ca_file: "x",
                                        cert_store: 1 })).to contain_exactly(/\Assl_params\[:cert_store\] is not used/)
      expect(described_class.warnings(nil)).to be_empty
    end
  end
end
