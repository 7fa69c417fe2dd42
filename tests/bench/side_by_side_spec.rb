# frozen_string_literal: true

require_relative "../../benches/side_by_side/main"

RSpec.describe SideBySide::Run do
  around do |example|
    Dir.mktmpdir do |dir|
      @redis = SideBySide::Redis.new(dir)
      example.run
    ensure
      @redis&.stop
    end
  end

  def load(name, **fields)
    SideBySide::LOADS.find { |load| load.name == name }.dup.tap do |load|
      fields.each { |field, value| load[field] = value }
    end
  end

  def run(load, jobs, engine = :gem, **rest)
    described_class.shape(load).new(redis: @redis, engine: engine, load: load, jobs: jobs, **rest).call
  end

  it "counts what ran between the opening and the last job" do
    figures = run(load("noop"), 100)
    expect(figures[:jobs_per_second]).to be_within(1).of(100 / figures[:seconds])
    expect(figures[:resident]).to be > 1_000
    expect(figures[:per_job]).to include(redis_commands: be_positive, switches: be_positive)
  end

  it "is void when a job ran twice and another never" do
    allow(SideBySide::Payloads).to receive(:job).and_wrap_original do |job, kind, number, *rest, **queue|
      job.call(kind, number == 7 ? 8 : number, *rest, **queue)
    end
    expect { run(load("noop"), 100) }.to raise_error(Footplate::Bench::Void, "1 jobs lost, 1 run twice")
  end

  it "is void when a claim is left behind" do
    @redis.call("HSET", "footplate:inflight:dead", "1", "job")
    delivery = SideBySide::Delivery.new(@redis, load("noop"), 1)
    expect { delivery.check({ missing: 0, doubled: 0 }, nil) }
      .to raise_error(Footplate::Bench::Void, /claims left behind/)
  end

  it "is void when a job is not in the log, which has a line of each that either engine ran" do
    %w[logging activejob-info].product(%i[gem sidekiq]).each do |name, engine|
      expect(run(load(name), 50, engine)[:jobs]).to eq(50)
    end
    forgetful = Class.new { define_method(:jobs_logged) { |_kind| 0 } }.new
    delivery = SideBySide::Delivery.new(@redis, load("logging"), 1)
    expect { delivery.check({ missing: 0, doubled: 0 }, forgetful) }
      .to raise_error(Footplate::Bench::Void, "0 jobs in the log instead of 1")
  end

  it "finds in the queue what either client enqueued, and nothing twice" do
    %w[enqueue enqueue-bulk].product(%i[gem sidekiq]).each do |name, engine|
      figures = run(load(name), 1_500, engine)
      expect(figures).to include(jobs: 1_500, jobs_per_second: be_within(1).of(1_500 / figures[:seconds]))
      expect(figures[:per_job]).to include(:redis_cpu, objects: be_positive)
      expect(@redis.call("LLEN", "queue:default")).to eq(1_501)
    end
  end

  it "is void when an enqueued job is not in the queue and another is there twice" do
    allow(@redis).to receive(:call).and_wrap_original do |call, *words|
      replies = call.call(*words)
      words.first == "LRANGE" ? [*replies.drop(2), replies.last] : replies
    end
    expect { run(load("enqueue"), 10) }
      .to raise_error(Footplate::Bench::Void, "2 jobs lost, 1 enqueued twice, 0 that nobody enqueued")
  end

  it "spreads jobs over queues, beside others that are in flight, with either engine" do
    grown = load("noop", queues: 3, holding: 2, argument: 1_000, threads: 2)
    %i[gem sidekiq].each { |engine| expect(run(grown, 50, engine)[:jobs]).to eq(50) }
  end

  it "measures the wait from the timetable, with a delay on the worker's way to Redis" do
    proxy = SideBySide::Proxy.new(@redis.url, 1)
    figures = run(load("latency100+1ms", rate: 500), 100, url: proxy.url)
    expect(figures).to include(p50: be > 1, backlog: be < 100)
    expect(figures[:max]).to be >= figures[:p99]
  ensure
    proxy&.stop
  end

  it "measures how late scheduled jobs start, beside many that are not due" do
    figures = run(load("scheduled", far: 1_000), 20)
    expect(figures[:p50]).to be_between(0, 1_000)
    expect(@redis.call("ZCARD", "schedule")).to eq(1_000)
  end

  it "says when the mixed load is done, and when its no-ops are" do
    figures = run(load("mixed"), 6)
    expect(figures[:all_done]).to be > 0.5
    expect(figures[:noops_done]).to be_positive.and be <= figures[:all_done]
  end

  it "counts what an idle process sends, without what its scripts call" do
    stub_const("SideBySide::IdleRun::SETTLE", 0)
    # A beat and a renewal of the lease come every ten seconds.
    stub_const("SideBySide::IdleRun::SECONDS", 11)
    figures = run(load("idle"), 0)
    expect(figures).to include(cpu_percent: be_positive.and(be < 100), commands: be_positive)
    expect(figures[:by_name]).to include("evalsha" => be_positive)
    expect(figures[:by_name]).not_to include("hset", "lpush")
  end
end

RSpec.describe SideBySide::Proxy do
  it "lengthens a round trip, and not the time of many at once" do
    Dir.mktmpdir do |dir|
      redis = SideBySide::Redis.new(dir)
      proxy = described_class.new(redis.url, 20)
      io = TCPSocket.new("127.0.0.1", proxy.url[/:(\d+)/, 1])
      started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      200.times { io.write("PING\r\n") && sleep(0.0001) }
      200.times { expect(io.gets).to eq("+PONG\r\n") }
      expect(Process.clock_gettime(Process::CLOCK_MONOTONIC) - started).to be_between(0.02, 1)
    ensure
      [proxy, redis].compact.each(&:stop)
    end
  end
end

RSpec.describe Footplate::Bench::Feeder do
  # A Redis that takes its time.
  let(:slow) do
    Class.new do
      attr_reader :batches

      def push(batch)
        (@batches ||= []) << batch
        sleep 0.02
      end
    end.new
  end

  it "catches up when it is late, leaves none out, and keeps to the timetable" do
    stub_const("Footplate::Bench::Feeder::SETTLE", 0)
    described_class.new(1_000) { |number, moment| [number, moment] }.push(100) { |batch| slow.push(batch) }
    pushed = slow.batches.flatten(1)
    expect(pushed.map(&:first)).to eq((0..99).to_a)
    expect(slow.batches.size).to be < 50
    pushed.map(&:last).each_cons(2) { |one, next_one| expect(next_one - one).to be_within(1e-6).of(0.001) }
  end

  it "gives no p99.9 of a few" do
    expect(Footplate::Bench.percentiles([0.001] * 999)).not_to have_key(:p999)
    expect(Footplate::Bench.percentiles(([0.001] * 998) + [0.5, 0.7])).to include(p999: 500, max: 700)
  end
end
