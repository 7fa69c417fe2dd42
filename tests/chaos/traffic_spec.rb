# frozen_string_literal: true

require_relative "support/chaos"

# What others do with their keys, and what becomes of it here.
RSpec.describe "Traffic of others" do
  include Chaos

  burst = 400
  served = %({"class":"MarkingJob","queue":"default","retry":false})
  # Written to the queue and taken from it by others, in one instant.
  taken = "redis.call('LPUSH', KEYS[1], ARGV[1]) redis.call('RPOP', KEYS[1])"

  before do
    @redis.stop
    @redis = OwnRedis.start # not the durable one, whose disk would set the pace
  end

  # A process of an application that has no Sidekiq.
  def with_capsules(env)
    gemfile = File.join(redis.dir, "Gemfile")
    File.write(gemfile, "gem(%w[redis-client redis].find { |name| Gem::Specification.any? { |it| it.name == name } })")
    server(app: File.join(__dir__, "support/capsules.rb"), arguments: %w[-c 5 -q default -q low], tuning: {},
           env: { "BUNDLE_GEMFILE" => gemfile, "RUBYOPT" => "-rbundler/setup" }.merge(env))
  end

  # Commands that reached Redis from the process: all that it has to say while it is idle.
  def commands
    statistics.values_at("evalsha", "blmove", "client|unblock", "ping", "client|tracking").sum(&:to_i)
  end

  def statistics
    redis.call("INFO", "commandstats").scan(/^cmdstat_(\S+):calls=(\d+)/).to_h
  end

  # A fiftieth of a second's worth at a time, so that each is heard of by itself.
  def flood(count)
    from = now
    count.times do |n|
      yield n
      last([from + (n / 500.0) - now, 0].max)
    end
  end

  # Commands per second: ten, and two that an idle process needs anyway.
  def most = 12

  # Commands per second during a flood that has gone on for a while. Where a busy machine bunches together what was
  # spread over a longer time, that shows in one window and not in the next.
  def rate(burst, &write)
    flood(burst, &write)
    first = window(burst, &write)
    first < most ? first : [first, window(burst, &write)].min
  end

  def window(burst, &write)
    from = now
    before = commands
    flood(2 * burst, &write)
    (commands - before) / (now - from)
  end

  def push_to(queue, id)
    redis.push(queue, [payload("MarkingJob", id, queue: queue)])
  end

  it "costs an idle process next to nothing, whatever the traffic is" do
    far = Time.now.to_f + 1e6
    with_capsules("CAPSULES" => "6").start.await_ready
    push_to("own5", 0)
    await_done(1)
    floods = {
      "another queue" => ->(n) { redis.call("LPUSH", "queue:other", n) },
      "keys that begin like ours" =>
        ->(n) { redis.call("INCR", %w[schedules retry:1 paused_at queue: queue:default:x queue:own6][n % 6]) },
      "jobs for later, each a little sooner" => ->(n) { redis.call("ZADD", %w[schedule retry][n % 2], far - n, n) },
      "jobs that others take" => lambda { |n|
                                   redis.call("EVAL", taken, 1, "queue:default", served + n.to_s)
                                 },
      "pauses of others' queues" => ->(n) { redis.call("SADD", "paused", "other#{n}") },
      "keys of ours in another database" => lambda do |n|
        redis.call("SELECT", 1)
        redis.call("LPUSH", %w[queue:default queue:low queue:own3][n % 3], n)
        redis.call("ZADD", "schedule", 1, n)
        redis.call("SELECT", 0)
      end,
      "another database's end" => ->(_) { redis.call("EVAL", "redis.call('SELECT', 2) redis.call('FLUSHDB')", 0) }
    }
    rates = floods.transform_values { |write| rate(burst, &write) }
    # Apart from what an idle process says anyway, about two a second.
    expect(rates.slice(*floods.keys.first(2)).values).to all(be < 5)
    expect(rates.values).to all(be < most), rates.inspect

    # And nothing has become deaf.
    redis.call("ZADD", "schedule", Time.now.to_f + 0.02, payload("MarkingJob", 1))
    { "default" => 2, "low" => 3, "own0" => 4, "own5" => 5 }.each { |queue, id| push_to(queue, id) }
    await_done(6, within: 5)
  end

  # Each of whose capsules waits for hand-offs and looks at its queues.
  it "costs an idle process with dozens of capsules no more, in a storm of pauses or flushes" do
    with_capsules("CAPSULES" => "40").start.await_ready
    storms = {
      "others' pauses" => ->(n) { redis.call("SADD", "paused", "other#{n}") },
      "pauses of its own" => ->(n) { redis.call(n.even? ? "SADD" : "SREM", "paused", "own#{n / 2 % 40}") },
      "flushes" => ->(_) { redis.call("EVAL", "redis.call('SELECT', 2) redis.call('FLUSHDB')", 0) }
    }
    rates = storms.transform_values { |write| rate(4 * burst, &write) }
    expect(rates.values).to all(be < most), rates.inspect
    redis.call("DEL", "paused")
    %w[own0 own39].each_with_index { |queue, id| push_to(queue, id) }
    await_done(2, within: 5)
  end

  it "on the list of its signals costs an idle process next to nothing, and hides none" do
    server = with_capsules({}).start.await_ready
    signals = "#{redis.call("SMEMBERS", "processes").first}-signals"
    floods = {
      "words" => ->(n) { redis.call("LPUSH", signals, "word#{n}") },
      "nothing" => ->(n) { redis.call("EVAL", taken, 1, signals, n) }
    }
    expect(floods.transform_values { |write| rate(burst, &write) }.values).to all(be < most)
    redis.call("LPUSH", signals, "TERM")
    expect(server.wait(within: 10).exitstatus).to eq(0)
  end

  it "is not held up by a process with very many queues" do
    many = 3_000
    redis.call("CONFIG", "SET", "slowlog-log-slower-than", "0", "slowlog-max-len", "100000")
    with_capsules("QUEUES" => many.to_s).start.await_ready
    push_to("q#{many - 1}", 0)
    await_done(1)
    looked = queues_looked_at
    20.times { |n| push_to("q#{n * 100}", n + 1) && await_done(n + 2) }
    # All of them once, perhaps: it does not trust the messages forever.
    expect(queues_looked_at - looked).to be < many + 500
    expect(longest_command).to be < 1_100
  end

  # RPOP where one job is asked for, LINDEX otherwise.
  def queues_looked_at
    statistics.values_at("rpop", "lindex").sum(&:to_i)
  end

  # How many arguments the longest had: two for each queue of a claim.
  def longest_command
    redis.call("SLOWLOG", "GET", "-1").map { |entry| entry[3].last.to_s[/\((\d+) more arguments\)/, 1].to_i }.max
  end

  it "does not fill Redis's memory when nobody listens any more" do
    sleeper = server.start.await_ready
    push_to("default", 0)
    await_done(1)
    sleeper.signal(:STOP)
    name = "x" * 100_000
    most = Array.new(800) do |n|
      redis.call("SET", "queue:#{name}#{n}", "", "PX", "1")
      (n % 20).zero? ? waiting_output : 0
    end.max
    expect(most).to be_between(8 << 20, 40 << 20)
    expect(waiting_output).to be < 1 << 20
    sleeper.signal(:CONT)
    push_to("default", 1)
    await_done(2, within: 20)
  end

  # Bytes that Redis keeps for a client that does not read.
  def waiting_output
    redis.call("CLIENT", "LIST").scan(/ omem=(\d+)/).map { |found,| Integer(found) }.max
  end

  it "is heard of again once that is allowed again, and said once" do
    server = server(tuning: {}).start.await_ready
    push(0)
    redis.call("ACL", "SETUSER", "default", "-client|tracking")
    redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    eventually("polling") { server.output.include?("the queues are polled") }
    push(1)
    before = commands
    eventually("looks") { commands > before + 50 }
    redis.call("ACL", "SETUSER", "default", "+client|tracking")
    eventually("listening", within: 20) { server.output.include?("no more polling") }
    push(2)
    eventually("silence", within: 10) do
      before = commands
      last(1)
      commands - before < 10
    end
    server.stop
    expect(server.output.scan(/are polled|no more polling/)).to eq(["are polled", "no more polling"])
  end

  def push(id)
    push_to("default", id)
    await_done(id + 1)
  end
end
