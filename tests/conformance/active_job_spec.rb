# frozen_string_literal: true

require_relative "support/conformance"

# Active Job, by Sidekiq's adapter and by ours, with and without the sidekiq gem.
ACTIVE_JOBS = <<~'RUBY'
  class Mail < ActiveJob::Base
    queue_as :mail
    def perform(*args) = effect("mail", provider_job_id, job_id, args, executions)
  end
  class Retried < ActiveJob::Base
    retry_on ArgumentError, wait: 0, attempts: 2
    def perform = executions < 2 ? raise(ArgumentError, "once more") : effect("retried", executions)
  end
  class Fails < ActiveJob::Base
    def perform(what) = raise(ArgumentError, "to the end: #{what}")
  end
  class GivesUp < ActiveJob::Base
    retry_on ArgumentError, wait: 0, attempts: 2
    def perform = raise(ArgumentError, "tried #{executions}")
  end
  class Ends < GivesUp
    sidekiq_options retry: 0 if respond_to?(:sidekiq_options)
  end
  class EndsQuietly < ActiveJob::Base
    retry_on(ArgumentError, wait: 0, attempts: 2) { |job, error| effect("given up", job.executions, error.message) }
    def perform = raise(ArgumentError, "never mind")
  end
  class Delayed < ActiveJob::Base
    sidekiq_options retry: 4 if respond_to?(:sidekiq_options)
    sidekiq_retry_in { |*| 1000 } if respond_to?(:sidekiq_retry_in)
    def perform = raise("later")
  end
  if ARGV.first == "enqueue"
    jobs = [Mail.perform_later(1, "a" => :b), Mail.set(wait: 1).perform_later("waited"), Retried.perform_later, Fails.perform_later("x"), Delayed.perform_later]
    [GivesUp, Ends, EndsQuietly].each(&:perform_later)
    ActiveJob.perform_all_later(Mail.new(2), Mail.new(3)) if ActiveJob.respond_to?(:perform_all_later)
    puts jobs.map { |job| [job.provider_job_id, job.job_id].join(" ") }
  end
RUBY

{ "sidekiq" => true, "footplate" => true, "footplate without the sidekiq gem" => false }.each do |title, gem|
  Conformance.describe "Active Job through :#{title}", needs: gem ? %w[activejob sidekiq] : "activejob" do
    head = <<~RUBY
      require "active_job"
      #{gem ? 'require "sidekiq"; require "active_job/queue_adapters/sidekiq_adapter"' : 'require "footplate"'}
      require "footplate"
      require "logger"
      ActiveJob::Base.include(Sidekiq::Job::Options) if defined?(Sidekiq::Job::Options) && !ActiveJob::Base.respond_to?(:sidekiq_options)
      ActiveJob::Base.queue_adapter = :#{title.split.first}
      ActiveJob::Base.logger = Logger.new(File::NULL)
    RUBY
    app "#{head}\n#{ACTIVE_JOBS}", files: { "Gemfile" => Conformance::Application.gemfile_without_sidekiq("activejob") }

    env = gem ? {} : { "RUBYOPT" => "-rbundler/setup" }

    scenario do
      @enqueued = client("app.rb", "enqueue", env: env).lines.grep(/\A\h{24} /).map(&:split)
      @payload = JSON.parse(queue("mail").first)
      @count = ActiveJobCount.mails
      start("-q", "default", "-q", "mail", env: env)
      await_effects(@count, "mail")
      await_effects(1, "retried")
      await_effects(1, "given up")
      eventually("all to be tried") { %w[retry dead].map { |set| redis.call("ZCARD", set) } == [3, 1] }
      drained
      @code = server.stop
      @retry = redis.call("ZRANGE", "retry", 0, -1).to_h do |job|
        JSON.parse(job).then do |parsed|
          [parsed["wrapped"], parsed]
        end
      end
    end

    it "runs jobs with their arguments and ids" do
      ids = @enqueued.first
      expect(effects("mail")).to include([ids.first, ids.last, [1, { "a" => "b" }], 1])
      expect(effects("mail").map { |it| it[2] }).to include(["waited"])
      expect(@payload).to include("class" => /Wrapper/, "wrapped" => "Mail", "queue" => "mail", "jid" => ids.first)
      expect(@code).to eq(0)
    end

    it "leaves retry_on to Active Job" do
      expect(effects("retried")).to eq([[2]])
      expect(@retry).not_to include("Retried")
    end

    it "retries what Active Job lets through" do
      expect(@retry.fetch("Fails")).to include("error_class" => "ArgumentError", "error_message" => "to the end: x",
                                               "retry_count" => 0)
    end

    it "retries by its own rules what retry_on gave up, unless the class says otherwise" do
      expect(@retry.fetch("GivesUp")).to include("error_message" => "tried 2", "retry_count" => 0)
      expect(JSON.parse(redis.call("ZRANGE", "dead", 0, -1).first)).to include("wrapped" => "Ends")
      expect(effects("given up")).to eq([[2, "never mind"]])
    end

    it "heeds the class's own options and, since 7.1.3, its blocks" do
      skip "without the gem's module there are none" unless gem
      expect(@retry.fetch("Delayed")["retry"]).to eq(4)
      score = redis.call("ZRANGE", "retry", 0, -1, "WITHSCORES").each_slice(2).find do |job, _|
        job.include?("Delayed")
      end.last.to_f
      expect(score - Time.now.to_f > 500).to be(generation?("7.1.3"))
    end
  end
end

# How many mails the installed Active Job can enqueue.
module ActiveJobCount
  def self.mails
    Gem::Specification.find_all_by_name("activejob").map(&:version).max >= Gem::Version.new("7.1") ? 4 : 2
  end
end

Conformance.describe "a Rails application", needs: %w[railties activejob sidekiq] do
  app "", files: {
    "config/application.rb" => <<~'RUBY',
      require "rails"
      require "active_job/railtie"
      require "sidekiq"
      class Shop < Rails::Application
        config.eager_load = false
        config.root = File.expand_path("..", __dir__)
        config.logger = Logger.new(File::NULL)
        config.secret_key_base = "x" * 32
        config.active_job.queue_adapter = :sidekiq
        config.autoload_paths << File.join(config.root, "app/jobs")
        config.active_support.to_time_preserves_timezone = :zone if Rails.version >= "8"
      end
    RUBY
    "config/environment.rb" => <<~RUBY,
      require_relative "application"
      #{Conformance::Application::PRELUDE}
      Shop.initialize!
    RUBY
    "app/jobs/rail_job.rb" => <<~'RUBY',
      class RailJob
        include Sidekiq::Worker
        def perform(what)
          effect("rail", what, Rails.env, Rails.application.executor.active?, $0[0, 9])
        end
      end
    RUBY
    "config/sidekiq.yml" => "<%= %w[:queues] .first %>: [railway]\nstaging:\n  :concurrency: <%= 1 + 1 %>\n"
  }

  scenario do
    push("RailJob", 1, queue: "railway")
    start("-e", "staging", require: ".")
    await_effects(1, "rail")
    @info = JSON.parse(redis.call("HGET", identity, "info"))
    @code = server.stop
  end

  it "is found, loaded and wrapped in its reloader" do
    expect(effects("rail").first.first(3)).to eq([1, "staging", true])
    expect(server.output).to match(/Booted Rails \d\S+ application in staging environment/)
    expect(@info).to include("concurrency" => 2, "queues" => ["railway"], "tag" => File.basename(dir))
    expect(@code).to eq(0)
  end
end
