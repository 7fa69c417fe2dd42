# frozen_string_literal: true

require "footplate/redis/small_pool"

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
      tries = 0
      Footplate.redis do |conn|
        redis.call("REPLICAOF", "NO", "ONE") if (tries += 1) == 2
        conn.call("SET", "key", tries)
      end
      expect(redis.call("GET", "key")).to eq("2")
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

  describe "connecting" do
    def ping(**options)
      Footplate::Redis::Pool.new(Footplate::Redis::Options.resolve(options)).with { |conn| conn.call("PING") }
    end

    it "uses host, port, database, user and password, or a socket's path" do
      server = RedisServer.start(tcp: true)
      server.call("ACL", "SETUSER", "app", "on", ">secret", "~*", "+@all")
      server.call("ACL", "SETUSER", "default", "resetpass", ">other")
      login = { username: "app", password: "secret" }

      expect(ping(host: "127.0.0.1", port: server.port, db: 2, **login)).to eq("PONG")
      expect(ping(path: server.socket, **login)).to eq("PONG")
      expect(ping(url: "redis://app:secret@127.0.0.1:#{server.port}/1")).to eq("PONG")
      expect { ping(path: server.socket, username: "app", password: "wrong") }.to raise_error(/WRONGPASS|password/i)
    ensure
      server&.stop
    end

    it "finds the primary through Sentinel" do
      primary = RedisServer.start(tcp: true)
      sentinel = start_sentinel(primary)
      where = { name: "main", sentinels: [{ host: "127.0.0.1", port: sentinel.port }] }
      Footplate::Redis::Pool.new(where).with { |conn| conn.call("SET", "seen", "yes") }

      expect(primary.call("GET", "seen")).to eq("yes")
    ensure
      [sentinel, primary].compact.each(&:stop)
    end

    def start_sentinel(primary)
      file = File.join(primary.dir, "sentinel.conf")
      File.write(file, "sentinel monitor main 127.0.0.1 #{primary.port} 1\n")
      RedisServer.start(file, "--sentinel", tcp: true)
    end
  end

  describe Footplate::Redis::Connection do
    it "refuses a namespaced connection, which would push to other keys than it says" do
      stub_const("Redis::Namespace", Class.new)
      expect { described_class.wrap(Redis::Namespace.new) }.to raise_error(ArgumentError, /redis-namespace/)
    end
  end

  describe Footplate::Redis::SmallPool do
    it "hands out one connection per thread, again and again" do
      made = 0
      pool = described_class.new(size: 2, timeout: 1) { made += 1 }

      3.times { pool.with { |outer| pool.with { |inner| expect(inner).to equal(outer) } } }
      expect(made).to eq(1)
    end

    it "never makes more than its size and passes a returned one on to who waits" do
      pool = described_class.new(size: 1, timeout: 5) { Object.new }
      entered = Queue.new
      release = Queue.new
      holder = Thread.new { pool.with { |c| (entered << c) && release.pop } }
      held = entered.pop
      waiter = Thread.new { pool.with(&:itself) }
      release << :go

      expect(waiter.value).to equal(held)
      holder.join
    end

    it "gives up after its timeout" do
      pool = described_class.new(size: 1, timeout: 0.01) { Object.new }
      pool.with do
        expect { Thread.new { pool.with(&:itself) }.tap { |t| t.report_on_exception = false }.value }
          .to raise_error(Timeout::Error, /no Redis connection came free/)
      end
    end

    it "loses nothing to a block that raises or a connection that cannot be made" do
      fail_once = true
      pool = described_class.new(size: 1, timeout: 0.01) { fail_once ? (fail_once = false) || raise("down") : :made }

      expect { pool.with(&:itself) }.to raise_error("down")
      expect { pool.with { raise "job" } }.to raise_error("job")
      expect(pool.with(&:itself)).to eq(:made)
    end
  end
end
