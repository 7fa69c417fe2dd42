# frozen_string_literal: true

require_relative "support/conformance"

Conformance.describe "a Rails application without the sidekiq gem", needs: %w[railties activejob] do
  app "", files: {
    "Gemfile" => Conformance::Application.gemfile_without_sidekiq("railties", "activejob"),
    "config/application.rb" => <<~'RUBY',
      require "rails"
      require "active_job/railtie"
      require "footplate"
      class Shop < Rails::Application
        config.eager_load = false
        config.root = File.expand_path("..", __dir__)
        config.secret_key_base = "x" * 32
        config.active_job.queue_adapter = :footplate
        config.active_support.to_time_preserves_timezone = :zone if Rails.version >= "8"
      end
    RUBY
    "config/environment.rb" => <<~RUBY
      require_relative "application"
      #{Conformance::Application::PRELUDE}
      Shop.initialize!
      class Plainly
        include Footplate::Job
        retry_in { raise "in the block" }
        def perform
          Rails.logger.info("from the job")
          raise(ArgumentError, "first")
        rescue ArgumentError
          raise("in vain")
        end
      end
      class Leveled
        include Footplate::Job
        def perform = effect("leveled")
      end
      class Active < ActiveJob::Base
        def perform = raise("active in vain")
      end
      Footplate.configure { |config| config.error_handlers << ->(error, context = {}) { effect("two", error.message, context[:context]) } }
      Active.perform_later if ARGV.first == "enqueue"
    RUBY
  }

  scenario do
    env = { "RUBYOPT" => "-rbundler/setup" }
    client("config/environment.rb", "enqueue", env: env)
    push("Plainly", jid: "plainly")
    push("Leveled", log_level: "nonsense")
    push("Sidekiq::ActiveJob::Wrapper", { job_class: "Gone", arguments: [] }, jid: "gone", wrapped: "Gone")
    start("-c", "1", "-e", "development", require: ".", env: env)
    eventually("all failures") { redis.call("ZCARD", "retry") == 3 }
    drained
    server.stop
  end

  it "has what jobs say to Rails's logger among its lines, with their context" do
    line = /\AINFO .* jid=plainly class=Plainly: from the job/
    expect(server.lines.grep(/from the job/)).to contain_exactly(match(line))
    expect(File.read(path("log/development.log"))).to include("from the job")
  end

  it "tells a failure in one line and one backtrace, of the application's lines" do
    from = server.lines.index { |line| line.match?(/job=\{"class" ?=> ?"Plainly"/) }
    told = server.lines.drop(from).take_while { |line| line == server.lines[from] || line.start_with?("  ") }
    expect(told.size).to be_between(2, 6)
    expect(told.first).to match(/\AINFO .*: in vain \(RuntimeError\)\z/)
    expect(told.drop(1)).to all(match(/config.environment\.rb:\d+|caused by first \(ArgumentError\)/))
    active = server.lines.drop_while { |line| !line.match?(/context=.*active in vain \(RuntimeError\)/) }
    expect(active.drop(1).take_while { |line| line.start_with?("  ") }.size).to eq(1)
  end

  it "tells of a class that is not there once, and of none of its blocks" do
    gone = effects("two").select { |message, _| message.include?("Gone") }
    expect(gone).to contain_exactly([/\Auninitialized constant Gone/, "Job raised exception"])
  end

  it "runs a job whose log level is none" do
    expect(effects("leveled").size).to eq(1)
  end

  it "names its own blocks, and calls handlers with what they take" do
    block = "retry_in of Plainly failed; the job is retried by the default formula"
    expect(effects("two")).to include(["in the block", block],
                                      ["in vain", "Job raised exception"], ["active in vain", "Job raised exception"])
  end
end
