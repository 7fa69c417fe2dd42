# frozen_string_literal: true

require "support/active_job_worlds"

RSpec.describe "the Active Job adapter", :active_job, :redis do
  include ActiveJobWorlds

  footplate = ActiveJobWorlds::FOOTPLATE
  both = ActiveJobWorlds::BOTH

  describe "payloads" do
    it "name the wrapper that every Sidekiq finds and the job's class, with the class's options but its queue" do
      id, provider = script(<<~RUBY)
        #{footplate}
        job = MailJob.perform_later(1, { a: 2 })
        answer([job.job_id, job.provider_job_id])
      RUBY
      expect(jobs_in("mail")).to match(
        [a_hash_including(
          "class" => "ActiveJob::QueueAdapters::SidekiqAdapter::JobWrapper", "wrapped" => "MailJob",
          "queue" => "mail", "retry" => 4, "tags" => ["m"], "jid" => provider,
          "args" => [a_hash_including("job_class" => "MailJob", "job_id" => id, "queue_name" => "mail")]
        )]
      )
    end

    it "are scheduled for the time Active Job says" do
      script("#{footplate}\nPlainJob.set(wait_until: Time.at(4_000_000_000)).perform_later(1)\nanswer(1)")

      expect(entries_of("schedule").map { |job, score| [job["wrapped"], job.key?("at"), score] })
        .to eq([["PlainJob", false, 4_000_000_000.0]])
    end

    it "go through Footplate's client middleware, which may stop them" do
      expect(script(<<~RUBY)).to be_nil
        #{footplate}
        Footplate.config.client_middleware.add(Class.new { def call(*) = nil })
        answer(PlainJob.perform_later.provider_job_id)
      RUBY
      expect(redis.call("KEYS", "*")).to be_empty
    end

    it "go through Sidekiq's middleware to Sidekiq's Redis when the gem is loaded", :sidekiq_gem do
      script(<<~RUBY)
        #{both}
        Footplate.config.redis = { url: "redis://127.0.0.1:1/0" }
        marker = Class.new { def call(_class, job, *) = yield.tap { job["seen"] = true } }
        Sidekiq.configure_client { |config| config.client_middleware { |chain| chain.add(marker) } }
        PlainJob.perform_later(1)
        MailJob.perform_later(1)
        answer(1)
      RUBY
      expect((jobs_in("default") + jobs_in("mail")).map { |job| job["seen"] }).to eq([true, true])
    end

    it "are those of Sidekiq's own adapter", :sidekiq_gem do
      calls = "MailJob.perform_later(1)\nPlainJob.set(wait: 3600, queue: 'low').perform_later(2)\nanswer(1)"
      real = outcome(ActiveJobWorlds::SIDEKIQ, calls, "ADAPTER" => "sidekiq")

      expect(real.size).to eq(2)
      expect(outcome(both, calls)).to eq(real)
      expect(outcome(footplate, calls)).to eq(real)
    end

    def outcome(world, calls, env = {})
      redis.call("FLUSHALL")
      script(world + calls, env)
      (jobs_in("mail") + entries_of("schedule").map(&:first)).map { |job| normalized(job) }
    end

    # Sidekiq 8 writes the other of the two names.
    def normalized(job)
      expect(Footplate::ActiveJobWrapper::NAMES).to include(job["class"])
      args = job["args"].map { |serialized| serialized.except("job_id", "enqueued_at", "scheduled_at") }
      job.except("class", "jid", "created_at").merge("enqueued_at" => job.key?("enqueued_at"), "args" => args)
    end
  end

  describe "enqueue_all" do
    bulk = <<~RUBY
      jobs = [PlainJob.new(1), MailJob.new(2), PlainJob.new(3), PlainJob.new(4).tap { |job| job.queue_name = "low" }]
      later = PlainJob.new(5)
      # Rails 7.1 made it a Time.
      later.scheduled_at = ActiveJob.version >= Gem::Version.new("7.1") ? Time.at(4_000_000_000) : 4_000_000_000.0
      jobs << later
      count = ActiveJob::Base.queue_adapter.enqueue_all(jobs)
      done = jobs.map { |job| job.respond_to?(:successfully_enqueued?) ? job.successfully_enqueued? : nil }
      answer([count, jobs.map(&:provider_job_id), done.compact.uniq])
    RUBY

    shared_examples "bulk" do |world|
      it "pushes all and tells each job what became of it" do
        count, jids, done = script(world + bulk)

        expect([count, done - [true]]).to eq([5, []])
        expect(%w[default mail low].map { |queue| jobs_in(queue).map { |job| job["jid"] } })
          .to eq([[jids[0], jids[2]], [jids[1]], [jids[3]]])
        expect(entries_of("schedule").map { |job, score| [job["jid"], score] }).to eq([[jids[4], 4_000_000_000.0]])
      end
    end

    context("without the sidekiq gem") { include_examples "bulk", footplate }
    context("with the sidekiq gem", :sidekiq_gem) { include_examples "bulk", both }

    it "counts only what was enqueued" do
      count, jids, = script(<<~RUBY)
        #{footplate}
        Footplate.config.client_middleware.add(Class.new { def call(_c, job, *) = (yield if job["wrapped"] != MailJob) })
        #{bulk}
      RUBY
      expect([count, jids.map(&:nil?)]).to eq([4, [false, true, false, false, false]])
    end
  end

  it "tells continuations that a Sidekiq server is going to stop", :sidekiq_gem do
    expect(script(<<~RUBY)).to eq([false, true])
      #{ActiveJobWorlds::SIDEKIQ_SERVER}
      before = ActiveJob::Base.queue_adapter.stopping?
      config = Sidekiq::VERSION.to_i >= 7 ? Sidekiq.default_configuration : Sidekiq.options
      config[:lifecycle_events][:quiet].each(&:call)
      answer([before, ActiveJob::Base.queue_adapter.stopping?])
    RUBY
  end

  it "tells continuations that the process is going to stop" do
    expect(script(<<~RUBY)).to eq([false, true])
      #{footplate}
      adapter = ActiveJob::Base.queue_adapter
      before = adapter.stopping?
      Footplate.config.fire_event(:quiet)
      answer([before, adapter.stopping?(PlainJob.new)])
    RUBY
  end
end
