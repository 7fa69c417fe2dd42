# frozen_string_literal: true

# queue_adapter = :footplate, whoever is loaded first, and what a Rails application gives the server.
RSpec.describe "Footplate in an application", :active_job do
  {
    "when Active Job is loaded first" => "require 'active_job'; require 'footplate'",
    "when Active Job is loaded first, and its base class too" =>
      "require 'active_job'; ActiveJob::Base; require 'footplate'",
    "when Footplate is loaded first" => "gem 'activejob'; require 'footplate'; require 'active_job'",
    "when the adapter's file is required" => "require 'active_job/queue_adapters/footplate_adapter'"
  }.each do |order, code|
    it "is found by Active Job #{order}" do
      expect(run_ruby(<<~RUBY)).to eq(["ActiveJob::QueueAdapters::FootplateAdapter", "footplate", false])
        #{code}
        base = ActiveJob::Base
        base.queue_adapter = :footplate
        answer([base.queue_adapter.class.name, base.queue_adapter_name, defined?(Sidekiq) ? true : false])
      RUBY
    end
  end

  it "gives Active Job classes options and blocks under both names" do
    expect(run_ruby(<<~RUBY)).to eq([{ "retry" => 2, "queue" => "default" }, 7, nil])
      require "active_job"
      require "footplate"
      class Parent < ActiveJob::Base
        footplate_options retry: 2
        retry_in { 7 }
      end
      class Child < Parent; end
      answer([Child.get_sidekiq_options, Child.sidekiq_retry_in_block.call, Child.sidekiq_retries_exhausted_block])
    RUBY
  end

  it "adds only its names where the sidekiq gem gave Active Job its options", :sidekiq_gem do
    expect(run_ruby(<<~RUBY)).to eq([5, 5, 9, true])
      require "active_job"
      require "sidekiq"
      ActiveJob::Base.include((defined?(Sidekiq::Job) ? Sidekiq::Job : Sidekiq::Worker)::Options)
      require "footplate"
      class Both < ActiveJob::Base
        footplate_options retry: 5
        retry_in { 9 }
      end
      answer([Both.get_sidekiq_options["retry"], Both.footplate_options_hash["retry"], Both.sidekiq_retry_in_block.call,
              Both.method(:sidekiq_options).owner.name.start_with?("Sidekiq")])
    RUBY
  end

  it "is configured by config.active_job.queue_adapter and gives the server its reloader", :rails do
    expect(run_ruby(<<~RUBY)).to eq(["ActiveJob::QueueAdapters::FootplateAdapter", %w[in job out], ["app/a.rb:1"]])
      require "rails"
      require "active_job/railtie"
      require "footplate"
      Footplate.server!
      class App < Rails::Application
        config.eager_load = false
        config.logger = Logger.new(File::NULL)
        config.active_job.queue_adapter = :footplate
      end
      App.initialize!
      calls = []
      App.executor.to_run { calls << "in" }
      App.executor.to_complete { calls << "out" }
      Footplate.config.reloader.call { calls << "job" }
      lines = Footplate.config[:backtrace_cleaner].call(["app/a.rb:1", "/gems/b.rb:2"])
      answer([ActiveJob::Base.queue_adapter.class.name, calls, lines])
    RUBY
  end
end
