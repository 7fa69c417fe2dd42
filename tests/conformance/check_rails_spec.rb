# frozen_string_literal: true

require_relative "support/conformance"

# A Rails application as its author has it before anything was changed for Footplate.
Conformance.describe "a check of a Rails application", needs: %w[railties activejob activerecord sqlite3] do
  gems = Conformance::Application.gemfile_without_sidekiq("railties", "activejob", "activerecord", "sqlite3")
  app "", files: {
    "Gemfile" => gems,
    "config/application.rb" => <<~'RUBY',
      require "rails"
      require "active_job/railtie"
      require "active_record/railtie"
      class Shop < Rails::Application
        config.eager_load = !ENV["LATE"]
        config.root = File.expand_path("..", __dir__)
        config.logger = Logger.new(File::NULL)
        config.secret_key_base = "x" * 32
        config.active_job.queue_adapter = eval(ENV["ADAPTER"]) if ENV["ADAPTER"]
        config.active_support.to_time_preserves_timezone = :zone if Rails.version >= "8"
      end
    RUBY
    "config/environment.rb" => "require_relative 'application'\nShop.initialize!\n",
    "config/database.yml" => "production:\n  adapter: sqlite3\n  database: /nowhere/shop.sqlite3\n  pool: 2\n",
    "app/jobs/quiet_job.rb" => "class QuietJob < ActiveJob::Base; end\n"
  }

  def check(env = {})
    env = { "RUBYOPT" => "-rbundler/setup" }.merge(env)
    fail_to_start("check", "-e", "production", "-c", "7", require: ".", env: env)
    server.output
  end

  it "warns of Rails's own adapter and of a small pool, and never speaks of Sidekiq" do
    out = check
    expect(out).to match(/^  Active Job +enqueues with :async$/)
    expect(out).to match(/^  ! Active Job enqueues with :async in production; none comes here: .* = :footplate$/)
    expect(out).to match(/^  ! Database primary: its pool has 2 connections for 7 threads/)
    expect(out).to match(/^  Application .*\n +loaded as for a start: its configure_server blocks ran/)
    expect(out).not_to match(/sidekiq/i)
    expect(server.status.exitstatus).to eq(0)
  end

  it "finds a misspelt adapter, also where it would only be met by the first job" do
    said = "Active Job knows no adapter :footplat (config.active_job.queue_adapter); did you mean :footplate?"
    late = check("ADAPTER" => ":footplat", "LATE" => "1")
    expect(late).to match(/^  Active Job +does not work\n  ! #{Regexp.escape(said)}$/)
    expect(late.scan("FootplatAdapter")).to be_empty
    expect(check("ADAPTER" => ":footplat")).to eq("footplate: #{said}\n")
    expect(server.status.exitstatus).to eq(1)
  end

  it "has nothing to say of our adapter but when Rails enqueues" do
    out = check("ADAPTER" => ":footplate", "LATE" => "1")
    expect(out).to match(/^  Active Job +enqueues with :footplate$/)
    warned = out.include?("enqueues at once, within a transaction too")
    expect(warned).to be(true) # 7.2 waits only with its own defaults, which this application does not load
  end

  it "takes our adapter itself for its name" do
    out = check("ADAPTER" => "ActiveJob::QueueAdapters::FootplateAdapter.new", "LATE" => "1")
    expect(out).to match(/^  Active Job +enqueues with :footplate$/)
  end

  it "says of what is no adapter that it is none, and only that" do
    %w[5 Object.new ActiveJob::QueueAdapters::FootplateAdapter].each do |adapter|
      out = check("ADAPTER" => adapter, "LATE" => "1")
      expect(out.scan(/^  ! .*/)).to contain_exactly(match(/queue_adapter is neither a name nor an adapter; write/))
    end
  end
end
