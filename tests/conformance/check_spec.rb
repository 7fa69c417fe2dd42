# frozen_string_literal: true

require_relative "support/conformance"
require_relative "../../ruby/spec/support/certificate"

##
# Whatever keeps a server from starting, `footplate check` says as well, in the same words; and what check lets
# pass, starts.
module CheckedStarts
  # @return [String] what both say
  def refusal(*flags, **options)
    said = [[], ["check"]].map do |command|
      fail_to_start(*command, *flags, **options)
      expect(server.status.exitstatus).to eq(1), server.tail
      server.lines.filter_map { |line| line[/\A(?:footplate:|  x) (.*)/, 1] }.first
    end
    expect(said.uniq.size).to eq(1), said.inspect
    said.first
  end

  def check(*flags, **options)
    fail_to_start("check", *flags, **options)
    server.output
  end

  # A user of Redis with these rights, as whom the application connects.
  def user(*rules)
    redis.call("ACL", "SETUSER", "shop", "reset", "on", ">pw", *rules)
    { "REDIS_URL" => redis.tcp_url.sub("//", "//shop:pw@") }
  end
end

Conformance.describe "a Redis user who lacks rights" do
  include CheckedStarts
  app "", redis: -> { OwnRedis.start(tcp: true) }

  it "is told which, and how they are granted" do
    said = refusal(env: user("~*", "&*", "+@all", "-hset", "-zadd"))
    expect(said).to start_with("Cannot work with Redis at redis://127.0.0.1:#{redis.port}/0: the Redis user shop may")
    expect(said).to end_with(" grants the rest with: ACL SETUSER shop +hset +zadd")
    expect(refusal(env: user("~*", "&*", "+@all", "-evalsha"))).to end_with(" ACL SETUSER shop +evalsha")
  end

  it "is told of keys, the queues among them" do
    own = %w[queues schedule retry dead process* paused stat:* footplate:* j|* h|*].map { |name| "~#{name}" }
    said = refusal("-q", "mail", env: user("&*", "+@all", "~queue:default", *own))
    expect(said).to end_with(" ACL SETUSER shop ~queue:* ~#{Socket.gethostname}:*")
    expect(redis.call("KEYS", "*")).to eq([])
  end
end

Conformance.describe "a Redis user with the rights that docs/redis.md names" do
  include CheckedStarts
  page = File.read(File.expand_path("../../docs/redis.md", __dir__))
  rights = page[/^    ~\* \+eval.*?\n\n/m].split

  app <<~'RUBY', redis: -> { OwnRedis.start(tcp: true) }
    class Note
      include JobModule
      def perform(what) = effect("note", what)
    end
    class Wrong < Failing; end
  RUBY

  it "passes the check, and works" do
    env = user("&*", *rights)
    expect(check(env: env)).to include("It would start.")
    expect(server.status.exitstatus).to eq(0)
    expect(redis.call("KEYS", "*")).to eq([])

    start(env: env)
    push("Wrong")
    push("Note", 1)
    await_effects(1, "note")
    drained
    expect(server.stop).to eq(0)
    expect(entries("retry").keys).to eq(["Wrong"])
    expect(server.output).not_to match(/NOPERM|ACL failure|can't run this command/)
  end
end

Conformance.describe "a Redis that takes no writes" do
  include CheckedStarts
  app ""

  it "is quoted" do
    redis.call("CONFIG", "SET", "min-replicas-to-write", 1)
    expect(refusal).to match(/ it takes no writes now \(NOREPLICAS .*\); start again when it does\z/)
  end

  it "is called a replica" do
    redis.call("REPLICAOF", "127.0.0.1", OwnRedis.free_port)
    expect(refusal).to match(/\ACannot work with Redis at unix:.*: it is a replica, which takes no writes; connect /)
  end
end

Conformance.describe "an engine's setting out of its range" do
  include CheckedStarts
  app "", files: { "beat.yml" => ":beat_seconds: 20\n", "ahead.yml" => ":prefetch_ms: 2000\n" }

  it "is refused" do
    expect(refusal("-C", "beat.yml")).to eq("beat_seconds: 20 must lie between 0.5 and 10 seconds.")
    expect(refusal("-C", "ahead.yml")).to eq("prefetch_ms: 2000 must lie between 0 and 1000.")
  end
end

Conformance.describe "a Redis whose certificate is an authority's" do
  include CheckedStarts
  certificate = Certificate.new
  port = OwnRedis.free_port
  tls = ["--tls-port", port.to_s, "--tls-cert-file", certificate.file, "--tls-key-file", certificate.key_file,
         "--tls-ca-cert-file", certificate.file, "--tls-auth-clients", "no"]
  app <<~'RUBY', redis: -> { OwnRedis.start(*tls) }
    Sidekiq.configure_server do |config|
      config.redis = { url: ENV["REDIS_URL"], ssl_params: { ca_file: ENV["CA"] } }
    end
  RUBY
  after(:context) { certificate.remove }

  it "is told so, and a file that is not there is named" do
    env = { "REDIS_URL" => "rediss://127.0.0.1:#{port}/0", "CA" => certificate.file }
    expect(refusal(env: env)).to include("its certificate is an authority's (CA:TRUE)")
    fail_to_start(env: env.merge("CA" => "/nowhere.crt"))
    expect(server.lines.last).to match(%r{\Afootplate: ssl_params\[:ca_file\] .*: /nowhere\.crt cannot be read\z})
  end
end

Conformance.describe "a job logger that cannot be made" do
  include CheckedStarts
  app <<~RUBY
    class Scribe
      def initialize(*) = raise(KeyError, "no place to write to")
    end
    Sidekiq.configure_server { |config| (Sidekiq::VERSION < "7" ? config.options : config)[:job_logger] = Scribe }
  RUBY

  it "is told of" do
    expect(refusal).to eq("KeyError: no place to write to")
    expect(server.lines.last(2).first).to match(/at .*app\.rb:\d+:in .*initialize/)
    expect(redis.call("KEYS", "*")).to eq([])
  end
end

Conformance.describe "a pool smaller than the threads" do
  include CheckedStarts
  app <<~'RUBY'
    Sidekiq.configure_server do |config|
      # 6 looks at a pool of its own making at once.
      own = -> { ConnectionPool.new(size: 5) { Redis.new(url: ENV["REDIS_URL"]) } }
      config.redis = Sidekiq::VERSION < "7" ? own.call : { url: ENV["REDIS_URL"], size: 5 }
    end
  RUBY

  it "is refused" do
    needed = generation?("7") ? 6 : 8
    expect(refusal("-c", "6")).to match(/pool .*5 .*6 threads.*or make it #{needed}/i)
    expect(check("-c", "3")).to include("It would start.")
  end
end

Conformance.describe "a check" do
  include CheckedStarts
  app "exit if ENV['AWAY']"

  it "does not take an application that ends the process for one that would start" do
    expect(check).to include("It would start.")
    expect(server.status.exitstatus).to eq(0)
    expect(check(env: { "AWAY" => "1" })).to include("The application ended this process, with status 0")
    expect(server.status.exitstatus).to eq(1)
  end
end
