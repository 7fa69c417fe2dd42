# frozen_string_literal: true

RSpec.describe Footplate::Redis do
  describe Footplate::Redis::Options do
    def with_env(values)
      before = values.keys.to_h { |key| [key, ENV.fetch(key, nil)] }
      ENV.update(values)
      yield
    ensure
      ENV.update(before)
    end

    it "fills the address in from the environment only where there is none" do
      with_env("REDIS_URL" => "redis://env/1", "REDIS_PROVIDER" => nil) do
        expect(described_class.resolve({})).to eq(url: "redis://env/1")
        expect(described_class.resolve("url" => "redis://own/2")).to eq(url: "redis://own/2")
        expect(described_class.resolve(host: "own")).to eq(host: "own")
        expect(described_class.resolve(path: "/sock")).to eq(path: "/sock")
      end
    end

    it "follows REDIS_PROVIDER to another variable" do
      with_env("REDIS_URL" => "redis://env/1", "REDIS_PROVIDER" => "OTHER_URL", "OTHER_URL" => "redis://other/1") do
        expect(described_class.resolve({})).to eq(url: "redis://other/1")
      end
    end

    it "explains a REDIS_PROVIDER that is a URL" do
      with_env("REDIS_PROVIDER" => "redis://env/1") do
        expect { described_class.resolve({}) }.to raise_error(ArgumentError, /name of the variable/)
      end
    end

    it "knows Sidekiq's other names and symbolizes all levels" do
      resolved = described_class.resolve("network_timeout" => 2, "master_name" => "main",
                                         "sentinels" => [{ "host" => "a", "port" => 1 }])
      expect(resolved).to eq(timeout: 2, name: "main", sentinels: [{ host: "a", port: 1 }])
    end
  end

  describe "Footplate.redis", :redis do
    it "calls and pipelines, with RESP2 replies" do
      replies = Footplate.redis do |conn|
        conn.call("HSET", "h", "a", 1)
        conn.pipelined do |pipeline|
          pipeline.call("ZADD", "z", ["1.5", "m"])
          pipeline.call("ZSCORE", "z", "m")
          pipeline.call("HGETALL", "h")
          pipeline.call("GET", "none")
        end
      end
      expect(replies).to eq([1, "1.5", %w[a 1], nil])
    end

    it "raises the gem's errors" do
      expect { Footplate.redis { |conn| conn.call("LPUSH") } }.to raise_error(/wrong number of arguments/)
      expect { Footplate.redis { |conn| conn.pipelined { |p| p.call("NOSUCH") } } }.to raise_error(/unknown command/)
    end

    it "tries once more, on a new connection, when the server is no longer the primary" do
      redis.call("REPLICAOF", "127.0.0.1", 1)
      connections = []
      Footplate.redis do |conn|
        connections << conn.call("CLIENT", "ID")
        redis.call("REPLICAOF", "NO", "ONE") if connections.size == 2
        conn.call("SET", "key", "written")
      end
      expect(redis.call("GET", "key")).to eq("written")
      expect(connections.uniq.size).to eq(2)
    ensure
      redis.call("REPLICAOF", "NO", "ONE")
    end

    it "does not try a third time" do
      redis.call("REPLICAOF", "127.0.0.1", 1)
      tries = 0
      expect { Footplate.redis { |conn| (tries += 1) && conn.call("SET", "key", 1) } }.to raise_error(/READONLY/)
      expect(tries).to eq(2)
    ensure
      redis.call("REPLICAOF", "NO", "ONE")
    end

    it "survives a connection that the server closed" do
      Footplate.redis { |conn| conn.call("PING") }
      redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
      expect(Footplate.redis { |conn| conn.call("PING") }).to eq("PONG")
    end

    it "gives a forked child connections of its own" do
      reader, writer = IO.pipe
      Footplate.redis do |conn|
        mine = conn.call("CLIENT", "ID")
        child = fork do
          writer.puts(Footplate.redis { |own| own.call("CLIENT", "ID") })
          exit!(0)
        end
        Process.wait(child)
        expect(reader.gets.to_i).not_to eq(mine)
        expect(conn.call("CLIENT", "ID")).to eq(mine)
      end
    end
  end

  describe Footplate::Redis::Connection do
    it "refuses a namespaced connection, which would push to other keys than it says" do
      stub_const("Redis::Namespace", Class.new)
      expect { described_class.wrap(Redis::Namespace.new) }.to raise_error(ArgumentError, /redis-namespace/)
    end
  end
end
