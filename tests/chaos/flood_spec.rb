# frozen_string_literal: true

require_relative "support/chaos"

# Jobs so short that many claims are under way at once, and many jobs in flight, whenever something happens.
RSpec.describe "a flood of short jobs" do
  include Chaos

  count = 300_000

  before do
    @redis.stop
    @redis = OwnRedis.start # not the durable one, whose disk would be the limit
    redis.push("default", Array.new(count) { |id| payload("TallyJob", id) })
  end

  def flood
    server(arguments: %w[-c 10], env: { "TALLY" => "tally" }).start
  end

  # How often each job ran.
  def tally(server)
    JSON.parse(File.read(File.join(server.dir, "tally"))).transform_keys { |id| Integer(id) }
  end

  def await_processed(jobs)
    eventually("#{jobs} jobs processed", within: 90) { processed >= jobs }
  end

  def waiting
    redis.call("LRANGE", "queue:default", 0, -1).reverse.map { |job| JSON.parse(job)["args"].first }
  end

  it "has each job run once, though its connections end again and again" do
    running = flood
    20.times do |step|
      await_processed((step + 1) * count / 25)
      redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    end
    await_settled
    expect(running.stop.exitstatus).to eq(0)
    expect(running.output).not_to include("lease lost")
    runs = tally(running)
    expect([runs.size, runs.values.max, processed]).to eq([count, 1, count])
  end

  it "puts back what has not begun, in order, when it stops" do
    first = flood
    await_processed(count / 4)
    expect(first.stop.exitstatus).to eq(0)
    ran = tally(first)
    expect([ran.size, ran.values.max]).to eq([processed, 1])
    expect(waiting).to eq((0...count).to_a - ran.keys)
    expect(redis.inflight).to eq([])

    second = flood
    await_settled
    expect(second.stop.exitstatus).to eq(0)
    runs = ran.merge(tally(second)) { |_, one, other| one + other }
    expect([runs.size, runs.values.max, processed]).to eq([count, 1, count])
  end

  it "does not keep slow jobs behind it to one process, which could run them only by and by" do
    slow = 2_000
    redis.push("default", Array.new(slow) { |id| payload("MarkingJob", id, 0.1) })
    running = flood
    await_processed(count)
    eventually("the return of what was claimed at the pace of the flood", within: 8) do
      redis.inflight.size <= 30 && waiting.size > slow / 2
    end
    more = done + 20
    await_done(more, within: 5)
    expect(running.stop.exitstatus).to eq(0)
    expect([runs.values.uniq, processed, waiting]).to eq([[1], count + done, (0...slow).to_a - runs.keys])
  end

  it "loses nothing when it is killed" do
    first = flood
    await_processed(count / 4)
    in_flight = first.kill
    before = processed
    expect(before + in_flight.size + waiting.size).to eq(count)

    second = flood
    await_settled
    expect(second.stop.exitstatus).to eq(0)
    runs = tally(second)
    expect([runs.size, runs.values.max, processed]).to eq([count - before, 1, count])
  end
end
