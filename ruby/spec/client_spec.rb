# frozen_string_literal: true

RSpec.describe Footplate::Client, :redis do
  subject(:client) { described_class.new }

  def item(**fields)
    { "class" => "Plain", "args" => [1] }.merge(fields.transform_keys(&:to_s))
  end

  describe "#push" do
    it "puts the job behind those that wait and registers the queue" do
      jids = [client.push(item), client.push(item)]

      expect(jobs_in("default").map { |job| job["jid"] }).to eq(jids)
      expect(redis.call("SMEMBERS", "queues")).to eq(["default"])
    end

    it "stamps the time of enqueueing in the unit of created_at" do
      client.push(item)
      job = jobs_in("default").first

      expect(job["enqueued_at"]).to be_a(job["created_at"].class)
      expect(job["enqueued_at"]).to be_between(job["created_at"], job["created_at"] + 5000)
    end

    it "puts a job with a time on the schedule, without at and enqueued_at, and registers no queue" do
      at = Time.now.to_f + 60.25
      jid = client.push(item(at: at, enqueued_at: 1))

      (job, score), = entries_of("schedule")
      expect(score).to eq(at)
      expect(job).to include("jid" => jid, "queue" => "default")
      expect(job.keys & %w[at enqueued_at]).to be_empty
      expect(redis.call("EXISTS", "queues")).to eq(0)
    end

    it "keeps UTF-8, long numbers and nesting as they are" do
      args = ["grün 🚂", 2**70, 1.5, nil, { "a" => [{ "b" => "/" }] }]
      client.push(item(args: args))
      expect(jobs_in("default").first["args"]).to eq(args)
    end

    it "refuses arguments that JSON would change, and pushes nothing" do
      expect { client.push(item(args: [:symbol])) }.to raise_error(ArgumentError, /native JSON types/)
      expect(redis.call("KEYS", "*")).to be_empty
    end

    it "lets them pass when strict arguments are off" do
      Footplate.strict_args!(false)
      client.push(item(args: [:symbol]))
      expect(jobs_in("default").first["args"]).to eq(["symbol"])
    end
  end

  describe "client middleware" do
    it "may change the job and sees class, payload, queue and pool" do
      seen = nil
      spy = Class.new do
        define_method(:call) do |*args, &block|
          seen = args
          args[1]["trace"] = "abc"
          block.call
        end
      end
      Footplate.config.client_middleware.add(spy)
      client.push(item(queue: "low"))

      expect(jobs_in("low").first["trace"]).to eq("abc")
      expect(seen[0]).to eq("Plain")
      expect(seen[2]).to eq("low")
      expect(seen[3]).to respond_to(:with)
    end

    it "may stop the push" do
      client.middleware { |chain| chain.add(Class.new { def call(*) = false }) }

      expect(client.push(item)).to be_nil
      expect(redis.call("KEYS", "*")).to be_empty
      expect(Footplate.config.client_middleware).to be_empty
    end

    it "may take a job off the schedule" do
      client.middleware do |chain|
        chain.add(Class.new { def call(_class, job, *) = yield.tap { job.delete("at") } })
      end
      client.push(item(at: Time.now.to_f + 60))
      expect(jobs_in("default").size).to eq(1)
    end
  end

  describe ".via" do
    let(:pool) { Footplate::Redis::Pool.new(url: redis.url, db: 3) }

    it "pushes to another Redis inside its block, in this thread" do
      described_class.via(pool) do
        described_class.push(item)
        Thread.new { described_class.push(item(queue: "here")) }.join
      end
      described_class.push(item(queue: "after"))

      expect(redis.call("KEYS", "queue:*")).to contain_exactly("queue:here", "queue:after")
      redis.call("SELECT", 3)
      expect(jobs_in("default").size).to eq(1)
    ensure
      redis.call("SELECT", 0)
    end

    it "refuses nil and keeps the pool outside it" do
      described_class.via(pool) do
        expect { described_class.via(nil) { nil } }.to raise_error(ArgumentError, "No pool given")
        expect(described_class.current_pool).to equal(pool)
      end
      expect(described_class.current_pool).to be_nil
    end
  end
end
