# frozen_string_literal: true

require "support/worlds"

# The same calls through the real Sidekiq client and through ours leave the same in Redis.
RSpec.describe "conformance with Sidekiq's client", :redis, :sidekiq_gem do
  calls = <<~RUBY
    class ConformingJob
      include JobModule
      sidekiq_options queue: "mail", retry: 3, backtrace: true
      def perform(*) = nil
    end
    class PlainJob
      include JobModule
      def perform(*) = nil
    end

    now = Float(ENV["NOW"])
    PlainJob.perform_async
    ConformingJob.perform_async(1, "a", { "b" => [nil, 1.5, "grün/"] })
    ConformingJob.set(queue: :low, retry: 2, tags: ["x"]).perform_async(2)
    ConformingJob.set(dead: false).perform_in(3600, 3)
    ConformingJob.perform_at(Time.at(now + 7200), 4)
    ConformingJob.perform_in(-5, 5)
    ConformingJob.set(wait: 60).perform_async(6)
    ConformingJob.perform_bulk([[7], [8]])
    PlainJob.set(queue: "low").perform_bulk([[9]])
    JobClient.push("class" => "Named", "args" => [10], "queue" => "named", "retry_for" => 3600, "unknown" => { "k" => 1 })
    JobClient.push("class" => ConformingJob, "args" => [11], "at" => now + 500.5, "retry" => false)
    JobClient.push("class" => "Named", "args" => [12], "jid" => "given", "created_at" => 1)
    JobClient.push("class" => "Wrapper", "wrapped" => ConformingJob, "args" => [13])
    JobClient.push_bulk("class" => "Named", "args" => [[14], [15]], "at" => [now + 100, now + 200])
    JobClient.push_bulk("class" => "Named", "args" => [[16], [17]], "queue" => "named", "at" => now + 300)
    answer(true)
  RUBY

  let(:now) { Time.now.to_f.round }

  def outcome(world, calls)
    redis.call("FLUSHALL")
    run_ruby(world + calls, "REDIS_URL" => redis.url, "NOW" => now.to_s)
    redis.call("KEYS", "*").sort.to_h { |key| [key, contents(key)] }
  end

  def contents(key)
    case redis.call("TYPE", key)
    when "set" then redis.call("SMEMBERS", key).sort
    when "list" then redis.call("LRANGE", key, 0, -1).map { |job| normalized(job) }
    when "zset"
      redis.call("ZRANGE", key, 0, -1, "WITHSCORES").each_slice(2).map do |job, score|
        # Coarse, as the two processes run one after the other; 10 s keep round numbers off the borders.
        [normalized(job), ((score.to_f - now + 10) / 30).floor]
      end
    end
  end

  # Random and clock values become what they are: an id, a number of milliseconds or of seconds.
  def normalized(job)
    JSON.parse(job).to_h do |field, value|
      value = "random" if field == "jid" && value.match?(/\A\h{24}\z/)
      value = value.class.name if %w[created_at enqueued_at].include?(field) && value != 1
      [field, value]
    end
  end

  it "holds while the sidekiq gem is loaded" do
    real = outcome(Worlds::SIDEKIQ, calls)

    expect(real.keys).to eq(%w[queue:default queue:low queue:mail queue:named queues schedule])
    expect(outcome(Worlds::BOTH, calls)).to eq(real)
  end

  it "holds without the gem, in the units of Sidekiq 8" do
    real = outcome(Worlds::SIDEKIQ, calls)
    real = JSON.parse(JSON.generate(real).gsub('"Float"', '"Integer"'))

    expect(outcome(Worlds::FOOTPLATE, calls)).to eq(real)
  end

  it "pushes jobs that a real Sidekiq server runs" do
    job = <<~RUBY
      class ServerJob
        include Footplate::Job
        footplate_options retry: 2
        def perform(*args) = (raise("again") if args == ["fail"]) || $ran << [jid, args]
      end
    RUBY
    env = { "REDIS_URL" => redis.url }
    jids = run_ruby(<<~RUBY, env)
      #{Worlds::FOOTPLATE}
      #{job}
      answer([ServerJob.perform_async(1, { "a" => [2.5] }), ServerJob.perform_async("fail")])
    RUBY
    ran = run_ruby(<<~RUBY, env)
      #{Worlds::SIDEKIQ_SERVER}
      require "footplate"
      $ran = []
      #{job}
      begin
        run_waiting_jobs
      rescue RuntimeError
        # A processor's thread dies of a failed job, after it has stored the retry.
      end
      answer($ran)
    RUBY

    expect(ran).to eq([[jids.first, [1, { "a" => [2.5] }]]])
    expect(entries_of("retry").map(&:first)).to match(
      [a_hash_including("jid" => jids.last, "class" => "ServerJob", "retry" => 2, "error_message" => "again")]
    )
  end
end
