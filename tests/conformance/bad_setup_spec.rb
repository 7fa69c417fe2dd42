# frozen_string_literal: true

require "socket"
require_relative "support/conformance"

# What keeps a server from starting: a sentence that names it, status 1, no backtrace, nothing left in Redis.
Conformance.describe "a wrong setup" do
  app "", files: { "bad.yml" => ":concurrency: [\n", "zero.yml" => ":concurrency: 0\n", "list.yml" => "- a\n",
                   "words.yml" => ":timeout: soon\n", "empty/x" => "",
                   "typo.yml" => ":concurency: 3\n:cron_jobs: kept\n" }

  def refused(*flags, **options)
    fail_to_start(*flags, **options)
    expect(server.status.exitstatus).to eq(1), server.tail
    expect(server.output).not_to match(/^\s+(from )?\S+\.rb:\d+:in/)
    expect(redis.call("KEYS", "*") - %w[process_cleanup]).to eq([])
    server.output
  end

  it "of flags" do
    expect(refused("--nonsense")).to include("--nonsense")
    expect(refused("-c", "0")).to match(/concurrency.*from 1 to 10000/m)
    expect(refused("-c", "many")).to include("many")
    expect(refused("-t", "-1")).to include("timeout")
    expect(refused("-q", "")).to include("queue")
    expect(refused("stray")).to include("stray")
    expect(refused("-q", "default", "mailers")).to eq("error: `mailers` belongs to no flag; each queue has a flag of " \
                                                      "its own: -q mailers\n")
  end

  it "of files" do
    expect(refused(require: "./nowhere.rb")).to include("./nowhere.rb")
    expect(refused(require: "empty")).to include("config/application.rb")
    expect(refused("-C", "nowhere.yml")).to include("No such file nowhere.yml")
    expect(refused("-C", "bad.yml")).to match(/bad\.yml:\d+/)
    expect(refused("-C", "zero.yml")).to include("concurrency: 0 is not a valid value")
    expect(refused("-C", "list.yml")).to include("list.yml")
    expect(refused("-C", "words.yml")).to include("timeout").and include("soon")
    expect(refused(env: { "RAILS_MAX_THREADS" => "x" })).to include("RAILS_MAX_THREADS")
  end

  it "of Redis: nobody there, a name that is none, a URL that is none" do
    expect(refused(env: { "REDIS_URL" => "unix:///nowhere.sock" })).to include("/nowhere.sock")
    expect(refused(env: { "REDIS_URL" => "redis://127.0.0.1:#{OwnRedis.free_port}/0" })).to match(/127\.0\.0\.1:\d+/)
    expect(refused(env: { "REDIS_PROVIDER" => "OTHER_URL",
                          "OTHER_URL" => "unix:///other.sock" })).to include("/other.sock")
  end

  it "of Redis: a URL that is none, whose password stays secret" do
    ["redis://:sec/s3cret@h", "redis://s3cret/x@h", "redis://u:a@s3cret@h", "redis://:s3cret 2@h/0"].each do |url|
      expect(refused(env: { "REDIS_URL" => url })).to match(%r{cannot be read; write special .*rediss:// or unix://$})
      expect(server.output).not_to include("s3cret")
    end
    expect(refused(env: { "REDIS_URL" => "redis://s3cret@127.0.0.1:#{OwnRedis.free_port}" })).to include("127.0.0.1")
    expect(server.output).not_to include("s3cret")
  end

  it "of numbers that the application sets" do
    { "concurrency" => 0, "timeout" => "soon", "dead_max_jobs" => "many", "dead_timeout_in_seconds" => -1,
      "max_retries" => 2**40 }.each do |name, value|
      write("numbers.rb", <<~RUBY)
        Sidekiq.configure_server do |config|
          options = Sidekiq::VERSION.to_i < 7 ? Sidekiq.options : config
          options[:#{name}] = #{value.inspect}
          config.concurrency = #{value.inspect} if #{name == "concurrency"} && config.respond_to?(:concurrency=)
        end
      RUBY
      expect(refused("check", require: "./numbers.rb")).to match(/#{name}: \S+ is not a/)
    end
  end

  it "says what a key probably means, and keeps it" do
    start("-C", "typo.yml")
    expect(server.output).to match(/typo\.yml: concurency .* did you mean concurrency/)
    expect(server.output).not_to include("cron_jobs")
    expect(server.stop).to eq(0)
  end

  it "prints its version, and help, without an application" do
    expect(spawn("--version", require: nil).stop(nil)).to eq(0)
    expect(server.output).to match(/\Afootplate \d+\.\d+\.\d+/i)
    expect(spawn("--help", require: nil).stop(nil)).to eq(0)
    expect(server.output).to include("--concurrency").and include("check")
  end
end

Conformance.describe "a Redis with a password" do
  app "", redis: -> { OwnRedis.start("--requirepass", "correct horse", tcp: true) }

  it "is told apart from one that is not there, and the password stays secret" do
    fail_to_start
    expect(server.status.exitstatus).to eq(1)
    expect(server.output).to match(/NOAUTH/)
    fail_to_start(env: { "REDIS_URL" => "redis://:secret%20wrong@127.0.0.1:#{redis.port}/0" })
    expect(server.status.exitstatus).to eq(1)
    expect(server.output).to match(/WRONGPASS/)
    expect(server.output).not_to match(/secret.wrong/)
  end
end

Conformance.describe "a Redis that is too old" do
  # Answers what a Redis 5 would.
  old = lambda do |socket|
    while (line = socket.gets("\r\n"))
      words = Array.new(Integer(line[/\d+/])) { [socket.gets("\r\n"), socket.gets("\r\n")].last.chomp }
      info = "# Server\r\nredis_version:5.0.7\r\nmaxmemory_policy:noeviction\r\n"
      case words.first.upcase
      when "HELLO" then socket.write("-ERR unknown command `HELLO`\r\n")
      when "INFO" then socket.write("$#{info.bytesize}\r\n#{info}\r\n")
      when "PING" then socket.write("+PONG\r\n")
      else socket.write("+OK\r\n")
      end
    end
  end

  app ""

  it "is refused, by its version or by what it lacks" do
    TCPServer.open("127.0.0.1", 0) do |listener|
      accepting = Thread.new { loop { Thread.new(listener.accept) { |socket| old.call(socket) } } }
      fail_to_start(env: { "REDIS_URL" => "redis://127.0.0.1:#{listener.addr[1]}/0" })
      accepting.kill.join
    end
    expect(server.status.exitstatus).to eq(1)
    expect(server.output).to match(/version 5\.0\.7.*needs 6\.2|HELLO/)
  end
end

Conformance.describe "a Redis that evicts" do
  app "", redis: -> { OwnRedis.start("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru") }

  it "is warned of" do
    start
    expect(server.output).to match(/maxmemory-policy is allkeys-lru.*noeviction/)
    expect(server.stop).to eq(0)
  end
end
