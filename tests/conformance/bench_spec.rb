# frozen_string_literal: true

require_relative "support/conformance"

##
# `footplate bench` works in an application's own Redis, so what matters here is what it leaves alone.
module Benching
  FEW = %w[--quick --jobs 200 --pairs 1].freeze

  # What an application may have, a counter that looks untouched and jobs that are due among it.
  def furnish
    redis.call("SET", "stat:processed", 0)
    redis.call("SET", "stat:failed", 7)
    redis.call("SADD", "processes", "elsewhere:1:abc")
    redis.call("HSET", "elsewhere:1:abc", "info", "{}")
    redis.call("ZADD", "footplate:leases", 1, "elsewhere:1:abc:0")
    redis.call("HSET", "footplate:inflight:elsewhere:1:abc:0", "1:queue:default", payload("Note"))
    push("Note", 1)
    %w[schedule retry].each { |set| put(set, Time.now - 60, "Note", set) }
    @before = everything
  end

  # Values in the form of DUMP.
  def everything
    redis.call("KEYS", "*").sort.to_h { |key| [key, redis.call("DUMP", key)] }
  end

  def connections
    redis.call("CLIENT", "LIST").lines.size
  end

  def bench(*flags, **options)
    fail_to_start("bench", *flags, **options)
    server.output
  end

  # Until a worker of ours is there, beside the connections of the bench and ours.
  def await_worker(title)
    eventually("a run of #{title}", within: 60) { server.output.include?("#{title}, run 1") && connections > 4 }
  end
end

Conformance.describe "a benchmark" do
  include Benching
  app <<~'RUBY'
    Sidekiq.configure_server do |config|
      config.on(:startup) { effect("startup") }
      around = Class.new { define_method(:call) { |*, &job| effect("around") && job.call } }
      config.server_middleware { |chain| chain.add(around) }
    end
  RUBY
  before { furnish }
  after { redis.call("FLUSHALL") }

  it "measures, and leaves Redis as it was" do
    said = bench(*Benching::FEW)
    expect(server.status.exitstatus).to eq(0), said
    expect(said).to match(%r{^no-op jobs/s +\d+ +\d+ +\d+\.\d+$})
    expect(said).to include("push to perform, p99", "Redis CPU per job", "Every job ran exactly once, in all 2 runs.")
    expect(everything).to eq(@before)
    expect(effects).to eq([])
  end

  it "prints JSON alone on its standard output" do
    command = [*door.command, "bench", "-r", "./app.rb", *Benching::FEW, "--json"]
    out, = Open3.capture2(@world.environment.merge(door.env), *command, chdir: @world.dir, err: File::NULL)
    found = JSON.parse(out)
    expect(found["medians"].keys).to eq(%w[footplate sidekiq])
    expect(found["medians"].values.map(&:keys)).to all(eq(%w[jobs_per_second p50 p99 redis_cpu]))
    expect(found["runs"].map { |run| run["void"] }).to eq([nil, nil])
  end

  %w[Footplate Sidekiq].each do |title|
    it "clears up when it is interrupted while #{title} runs" do
      spawn("bench", "--quick", "--jobs", "2000", "--pairs", "50")
      await_worker(title)
      expect(server.stop(:INT)).to eq(130)
      expect(everything).to eq(@before)
      expect(connections).to eq(1)
    end
  end

  it "is not outlived by its workers" do
    spawn("bench", "--quick", "--jobs", "2000", "--pairs", "50")
    await_worker("Footplate")
    server.stop(:KILL)
    eventually("its workers to end", within: 30) { connections == 1 }
    left = everything.keys - @before.keys
    expect(left).to all(start_with("footplate-bench-"))
  end
end

Conformance.describe "a benchmark that cannot be" do
  include Benching
  app "", redis: -> { OwnRedis.start(tcp: true) }

  it "is refused in one sentence where no Redis answers" do
    said = bench(*Benching::FEW, env: { "REDIS_URL" => "redis://127.0.0.1:#{OwnRedis.free_port}/0" })
    expect(server.status.exitstatus).to eq(1)
    expect(said.lines.size).to eq(1), said
    expect(said).to start_with("footplate: Cannot work with Redis at redis://127.0.0.1:")
  end

  it "is refused where its jobs could displace others" do
    redis.call("CONFIG", "SET", "maxmemory", 3_000_000)
    said = bench("--jobs", "100000")
    expect(server.status.exitstatus).to eq(1)
    expect(said.lines.last).to match(/\Afootplate: Will not measure on Redis at .* try fewer \(--jobs\)\n/)
    expect(everything).to eq({})
  ensure
    redis.call("CONFIG", "SET", "maxmemory", 0)
  end

  it "is refused where it could not clear up" do
    redis.call("ACL", "SETUSER", "shop", "reset", "on", ">pw", "~*", "&*", "+@all", "-scan")
    said = bench(*Benching::FEW, env: { "REDIS_URL" => redis.tcp_url.sub("//", "//shop:pw@") })
    expect(said.lines.last).to match(/\Afootplate: .*scan/)
    expect(redis.call("KEYS", "*")).to eq([])
  end
end

Conformance.describe "a benchmark without the sidekiq gem" do
  include Benching
  app "", files: { "Gemfile" => Conformance::Application.gemfile_without_sidekiq }

  it "measures the engine alone" do
    env = { "BUNDLE_GEMFILE" => @world.path("Gemfile"), "RUBYOPT" => "-rbundler/setup" }
    said = bench(*Benching::FEW, env: env)
    expect(server.status.exitstatus).to eq(0), said
    expect(said).to include("The sidekiq gem is not loaded", "in all 1 runs")
    expect(everything).to eq({})
  end
end
