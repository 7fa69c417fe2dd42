# frozen_string_literal: true

RSpec.describe Footplate::Job, :redis do
  before { stub_const("SpecJob", job_class) }

  let(:job_class) do
    Class.new do
      include Footplate::Job
      footplate_options queue: :mail, retry: 3

      def self.ran = (@ran ||= [])
      def perform(*args) = self.class.ran << [jid, args]
    end
  end
  let(:subclass) { Class.new(job_class) }

  describe "options and blocks" do
    it "answer under Footplate's and Sidekiq's names" do
      expect(job_class.get_sidekiq_options).to eq("retry" => 3, "queue" => :mail)
      expect(job_class.footplate_options_hash).to eq(job_class.get_sidekiq_options)
    end

    it "are inherited, and a subclass's own stay with it" do
      subclass.sidekiq_options(retry: 1, tags: ["a"], nested: { key: 1 })

      expect(subclass.get_sidekiq_options)
        .to eq("retry" => 1, "queue" => :mail, "tags" => ["a"], "nested" => { "key" => 1 })
      expect(job_class.get_sidekiq_options).to eq("retry" => 3, "queue" => :mail)
    end

    it "follow the defaults until a class has its own" do
      plain = Class.new { include Footplate::Job }
      expect(plain.get_sidekiq_options).to include("retry" => true, "queue" => "default")
      Footplate.default_job_options = { retry: 7 }
      expect(plain.get_sidekiq_options).to include("retry" => 7, "queue" => "default")
    end

    it "keep the blocks for whoever handles a failure, by class and by instance" do
      job_class.retry_in { |count| count + 1 }
      job_class.sidekiq_retries_exhausted { :gone }

      expect(subclass.sidekiq_retry_in_block.call(1)).to eq(2)
      expect(subclass.new.sidekiq_retries_exhausted_block.call).to eq(:gone)
      subclass.sidekiq_retry_in { 9 }
      expect([subclass, job_class].map { |c| c.sidekiq_retry_in_block.call(1) }).to eq([9, 2])
    end

    it "have no blocks by default" do
      expect([job_class.sidekiq_retry_in_block, job_class.sidekiq_retries_exhausted_block]).to eq([nil, nil])
    end

    it "set the queue as Active Job does" do
      job_class.queue_as :urgent
      expect(job_class.get_sidekiq_options["queue"]).to eq("urgent")
    end
  end

  describe "enqueueing" do
    it "pushes with the class's options" do
      jid = SpecJob.perform_async(1, "two")
      expect(jobs_in("mail").first).to include("class" => "SpecJob", "args" => [1, "two"], "retry" => 3, "jid" => jid)
    end

    it "schedules what is in the future and pushes the rest" do
      SpecJob.perform_in(60, 1)
      SpecJob.perform_at(Time.now + 120, 2)
      SpecJob.perform_in(0, 3)
      SpecJob.perform_at(Time.now - 60, 4)

      expect(entries_of("schedule").map { |job, score| [job["args"], (score - Time.now.to_f).round(-1)] })
        .to eq([[[1], 60], [[2], 120]])
      expect(jobs_in("mail").map { |job| job["args"] }).to eq([[3], [4]])
    end

    it "pushes many" do
      jids = SpecJob.perform_bulk([[1], [2]], batch_size: 1)
      expect(jobs_in("mail").map { |job| job["jid"] }).to eq(jids)
    end

    it "takes options for one push" do
      SpecJob.set(queue: "low").set(retry: false).perform_async(1)
      SpecJob.set(queue: "low").perform_bulk([[2]])
      expect(jobs_in("low").map { |job| job.values_at("args", "retry") }).to eq([[[1], false], [[2], 3]])
    end

    it "takes wait and wait_until, and leaves the caller's hash alone" do
      options = { wait: 60 }.freeze
      SpecJob.set(options).perform_async(1)
      SpecJob.set(wait_until: Time.now + 120).perform_async(2)

      expect(entries_of("schedule").map { |job, score| [job["args"], (score - Time.now.to_f).round(-1)] })
        .to eq([[[1], 60], [[2], 120]])
      expect(entries_of("schedule").first.first.keys).not_to include("wait")
    end

    it "pushes to another Redis when the class or the call says so" do
      other = Footplate::Redis::Pool.new(url: redis.url, db: 4)
      SpecJob.set(pool: other).perform_async(1)
      SpecJob.set(pool: other).perform_bulk([[2]])
      job_class.footplate_options(pool: other)
      SpecJob.perform_async(3)

      expect(redis.call("KEYS", "*")).to be_empty
      redis.call("SELECT", 4)
      expect(jobs_in("mail").map { |job| job["args"] }).to eq([[1], [2], [3]])
      expect(jobs_in("mail").flat_map(&:keys)).not_to include("pool")
    ensure
      redis.call("SELECT", 0)
    end

    it "refuses symbol keys and Active Job classes" do
      expect { SpecJob.client_push(class: SpecJob) }.to raise_error(ArgumentError, /no Symbols/)
      stub_const("ActiveJob::Base", Class.new)
      expect { Class.new(ActiveJob::Base) { include Footplate::Job } }.to raise_error(ArgumentError, /Active Job/)
    end
  end

  describe "running inline" do
    it "goes through JSON and both chains" do
      calls = []
      spy = ->(side) { Class.new { define_method(:call) { |*, &block| (calls << side) && block.call } } }
      Footplate.config.client_middleware.add(spy.call(:client))
      Footplate.config.server_middleware.add(spy.call(:server))

      expect(SpecJob.perform_inline({ "a" => 1 })).to be(true)
      expect(calls).to eq(%i[client server])
      expect(SpecJob.ran).to match([[/\A\h{24}\z/, [{ "a" => 1 }]]])
    end

    it "answers nil when a middleware keeps it from running, and raises what the job raises" do
      Footplate.config.server_middleware.add(Class.new { def call(*) = nil })
      expect(SpecJob.perform_sync(1)).to be_nil
      Footplate.config.server_middleware.clear
      SpecJob.define_method(:perform) { |*| raise IOError, "job" }
      expect { SpecJob.set(sync: true).perform_async(1) }.to raise_error(IOError, "job")
    end

    it "holds arguments to the same rule" do
      expect { SpecJob.perform_inline(:symbol) }.to raise_error(ArgumentError, /native JSON/)
    end
  end

  it "asks the server whether to leave off" do
    job = job_class.new
    expect(job.interrupted?).to be_nil
    job._context = Struct.new(:stopping?).new(true)
    expect(job).to be_interrupted
  end
end
