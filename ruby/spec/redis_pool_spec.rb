# frozen_string_literal: true

require "footplate/redis/small_pool"
require "support/certificate"

RSpec.describe Footplate::Redis::Pool do
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

    it "refuses numbers that are none, whichever gem connects" do
      [{ size: 0 }, { size: -1 }, { size: "x" }, { db: "two" }, { port: 1.5 }].each do |wrong|
        expect { ping(host: "127.0.0.1", **wrong) }.to raise_error(ArgumentError, /size|Integer|whole number/)
      end
    end

    it "speaks TLS with the parameters it is given" do
      certificate = Certificate.new
      server = RedisServer.start("--tls-port", (port = RedisServer.free_port).to_s, "--tls-auth-clients", "no",
                                 "--tls-cert-file", certificate.file, "--tls-key-file", certificate.key_file,
                                 "--tls-ca-cert-file", certificate.file)
      trusting = { ssl_params: { ca_file: certificate.file } }

      expect(ping(host: "127.0.0.1", port: port, ssl: true, **trusting)).to eq("PONG")
      expect(ping(url: "rediss://127.0.0.1:#{port}", **trusting)).to eq("PONG")
      expect { ping(url: "rediss://127.0.0.1:#{port}", reconnect_attempts: 0) }.to raise_error(/certificate/)
    ensure
      server&.stop
      certificate&.remove
    end

    it "does without the connection_pool gem" do
      server = RedisServer.start
      pool = described_class.new(path: server.socket)
      allow(pool).to receive(:require).and_call_original
      allow(pool).to receive(:require).with("connection_pool").and_raise(LoadError)

      answers = pool.with { |outer| pool.with { |inner| [inner.call("PING"), inner.equal?(outer)] } }
      expect(answers).to eq(["PONG", true])
    ensure
      server&.stop
    end

    # Newer redis gems notice a fork themselves; this must not depend on it.
    it "starts anew in a forked child" do
      allow(Footplate::Redis::Driver).to receive(:factory).and_return(-> { Struct.new(:call).new(Process.pid) })
      pool = described_class.new({})
      allow(pool).to receive(:pool_class).and_return(Footplate::Redis::SmallPool)
      reader, writer = IO.pipe
      pool.with do |mine|
        child = fork { pool.with { |own| writer.puts(own.call) } && exit!(0) }
        Process.wait(child)
        expect([mine.call, reader.gets.to_i]).to eq([Process.pid, child])
      end
    end

    it "says what is missing when there is no Redis gem" do
      allow(Footplate::Redis::Driver).to receive(:require).and_raise(LoadError)
      expect { ping }.to raise_error(LoadError, /redis-client or the redis gem/)
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

    it "gets a connection back from a thread that is killed" do
      pool = described_class.new(size: 1, timeout: 5) { :made }
      entered = Queue.new
      thread = Thread.new { pool.with { (entered << true) && Queue.new.pop } }
      entered.pop
      thread.kill

      expect(pool.with(&:itself)).to eq(:made)
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
