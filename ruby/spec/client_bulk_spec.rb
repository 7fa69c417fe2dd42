# frozen_string_literal: true

RSpec.describe Footplate::Client, "#push_bulk", :redis do
  subject(:client) { described_class.new }

  def bulk(args, **fields)
    client.push_bulk({ "class" => "Plain", "args" => args }.merge(fields.transform_keys(&:to_s)))
  end

  it "pushes a job per argument list, in order, each with a jid of its own" do
    jids = bulk([[1], [2], [3]])

    expect(jobs_in("default").map { |job| [job["jid"], job["args"]] }).to eq(jids.zip([[1], [2], [3]]))
    expect(jids.uniq.size).to eq(3)
  end

  it "splits into batches" do
    before = commands("lpush")
    jids = bulk(Array.new(2001) { |i| [i] })

    expect(jids.size).to eq(2001)
    expect(jobs_in("default").map { |job| job["args"].first }).to eq((0..2000).to_a)
    expect(commands("lpush") - before).to eq(3)
    bulk([[1], [2]], batch_size: 1)
    expect(commands("lpush") - before).to eq(5)
  end

  it "gives every job its own jid even when batches hold one job" do
    expect(bulk([[1], [2]], batch_size: 1).uniq.size).to eq(2)
  end

  it "groups by the queue that a middleware chose" do
    client.middleware do |chain|
      chain.add(Class.new { def call(_class, job, *) = yield.tap { job["queue"] = job["args"].first } })
    end
    bulk([["a"], ["b"], ["a"]])

    expect([jobs_in("a").size, jobs_in("b").size]).to eq([2, 1])
    expect(redis.call("SMEMBERS", "queues")).to contain_exactly("a", "b")
  end

  it "lets a middleware take single jobs off the schedule" do
    client.middleware do |chain|
      chain.add(Class.new { def call(_class, job, *) = yield.tap { job.delete("at") if job["args"] == [2] } })
    end
    bulk([[1], [2], [3]], at: Time.now.to_f + 60)

    expect(jobs_in("default").map { |job| job["args"] }).to eq([[2]])
    expect(entries_of("schedule").map { |job, _| job["args"] }).to contain_exactly([1], [3])
  end

  it "answers nil for jobs that a middleware stopped" do
    client.middleware do |chain|
      chain.add(Class.new { def call(_class, job, *) = job["args"] == [2] ? nil : yield })
    end
    expect(bulk([[1], [2], [3]]).map(&:nil?)).to eq([false, true, false])
  end

  it "takes one time for all, one for each, and seconds from now" do
    soon = Time.now.to_f + 100
    bulk([[1], [2]], at: soon)
    expect(entries_of("schedule").map(&:last)).to eq([soon, soon])

    bulk([[3], [4]], at: [soon + 1, soon + 2], batch_size: 1)
    expect(entries_of("schedule").last(2).map { |job, score| [job["args"], score] })
      .to eq([[[3], soon + 1], [[4], soon + 2]])

    bulk([[5]], at: 30)
    expect(entries_of("schedule").first.last).to be_within(5).of(Time.now.to_f + 30)
  end

  it "spreads jobs over an interval" do
    now = Time.now.to_f
    bulk(Array.new(20) { [1] }, spread_interval: 100)
    scores = entries_of("schedule").map(&:last)
    expect(scores.size).to eq(20)
    expect(scores).to all(be_between(now, now + 105))
    expect(scores.uniq.size).to be > 1
  end

  it "reads a lazy enumerator once, and pushes while it reads" do
    reads = 0
    args = (1..25).lazy.map { |i| (reads += 1) && [i] }

    expect(bulk(args, batch_size: 10).size).to eq(25)
    expect(reads).to eq(25)
    expect(jobs_in("default").map { |job| job["args"].first }).to eq((1..25).to_a)
  end

  it "pushes nothing for nothing" do
    expect(bulk([])).to eq([])
    expect(redis.call("KEYS", "*")).to be_empty
  end

  it "leaves the caller's hash as it was" do
    items = { "class" => "Plain", "args" => [[1]], at: Time.now.to_f + 9, batch_size: 5 }.freeze
    expect { client.push_bulk(items) }.not_to raise_error
  end

  it "refuses what it cannot mean", :aggregate_failures do
    expect { bulk([1, 2]) }.to raise_error(ArgumentError, /must be an Array of Arrays/)
    expect { bulk([[1]], at: "x") }.to raise_error(ArgumentError, /'at' must be a Numeric/)
    expect { bulk([[1], [2]], at: []) }.to raise_error(ArgumentError, /'at' must be a Numeric/)
    expect { bulk([[1], [2]], at: [1]) }.to raise_error(ArgumentError, /must have same size/)
    expect { bulk([[1], [2]], jid: "x") }.to raise_error(ArgumentError, /more than one job/)
    expect { bulk([[1]], spread_interval: 0) }.to raise_error(ArgumentError, /'spread_interval'/)
    expect { bulk([[1]], at: 1, spread_interval: 1) }.to raise_error(ArgumentError, /Only one of/)
    expect(bulk([[1]], jid: "x")).to eq(["x"])
  end

  # With middleware each job is encoded by itself.
  it "writes the same bytes where the jobs are encoded together as where each is by itself", :aggregate_failures do
    nested = ->(depth) { depth.times.inject("x") { |it, _| [it] } }
    arguments = [[], [1, 1.5, nil, true], ["é\u2028\"</script>\u0000", { "a" => [{}] }], [1e20, -0.0, 2**70],
                 nested.call(99)]
    alone = described_class.new
    alone.middleware { |chain| chain.add(Class.new { def call(*) = yield }) }
    allow(Footplate::Payload).to receive_messages(timestamp: 1.25, jid: "j" * 24)
    allow(Footplate::Payload).to receive(:jids) { |count| Array.new(count) { "j" * 24 } }
    written = [client, alone].map do |it|
      it.push_bulk("class" => "Plain", "args" => arguments, "tags" => ["a\"b"], "queue" => "é")
      redis.call("LRANGE", "queue:é", 0, -1).tap { redis.call("DEL", "queue:é") }
    end
    expect(written.first.size).to eq(5)
    expect(written.first).to eq(written.last)
    [client, alone].each do |it|
      expect { it.push_bulk("class" => "Plain", "args" => [nested.call(100)]) }.to raise_error(JSON::NestingError)
      expect { it.push_bulk("class" => "Plain", "args" => [[Float::NAN]]) }.to raise_error(JSON::GeneratorError)
      expect { it.push_bulk("class" => "Plain", "args" => [["\xff"]]) }.to raise_error(JSON::GeneratorError)
      expect { it.push_bulk("class" => "Plain", "args" => [[:a]]) }.to raise_error(ArgumentError, /:a is a Symbol/)
    end
  end

  def commands(name)
    redis.call("INFO", "commandstats")[/cmdstat_#{name}:calls=(\d+)/, 1].to_i
  end
end
