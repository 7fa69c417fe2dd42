# frozen_string_literal: true

require "spec_helper"

# Where Active Job's jobs go, and when, as `footplate check` tells it.
RSpec.describe "footplate check and Active Job", :active_job do
  head = <<~RUBY
    require "active_job"
    require "footplate"
    require "footplate/server/check/active_job"
    require "footplate/server/boot/boot_failure"
    Base = ActiveJob::Base
    def look = Footplate::Server::Check::ActiveJob.find("production")
    def told(adapter) = (Base.queue_adapter = adapter) && [look.adapter, look.warnings]
  RUBY

  it "says nothing where there is none" do
    expect(run_ruby(<<~RUBY)).to be_nil
      require "footplate"
      require "footplate/server/check/active_job"
      answer(Footplate::Server::Check::ActiveJob.find("production"))
    RUBY
  end

  it "names the adapter, and what becomes of jobs that do not come here" do
    none, ours, async, inline, test, other = run_ruby(<<~RUBY)
      #{head}
      class ActiveJob::QueueAdapters::PigeonAdapter < ActiveJob::QueueAdapters::InlineAdapter; end
      answer([[look.adapter, look.warnings], *%i[footplate async inline test pigeon].map { |name| told(name) }])
    RUBY
    expect(none).to eq(async)
    expect(ours).to eq(["enqueues with :footplate", []])
    expect([async, inline, test, other].map(&:first)).to eq(%w[async inline test pigeon].map { "enqueues with :#{_1}" })
    expect(async.last).to match([/ :async in production; none comes here: .*lost when it ends.*= :footplate\z/])
    expect([inline, test, other].flat_map(&:last)).to match([/at once/, /in memory/, /that adapter's affair/])
  end

  it "accepts the gem's adapter, whoever brings it", :sidekiq_gem do
    expect(run_ruby("require 'sidekiq'\n#{head}\nanswer(told(:sidekiq))")).to eq(["enqueues with :sidekiq", []])
  end

  it "names classes that have an adapter of their own" do
    expect(run_ruby(<<~RUBY)).to match([a_string_starting_with("Jobs of A, B, C and 1 more are enqueued with :inline")])
      #{head}
      Base.queue_adapter = :footplate
      class A < Base; self.queue_adapter = :inline; end
      class B < A; end
      class C < A; end
      class D < A; end
      class Mine < Base; end
      answer(look.warnings)
    RUBY
  end

  it "says which adapter was meant, in the words of a start that fails over it" do
    told = run_ruby(<<~RUBY)
      #{head}
      def failed(adapter)
        Base.queue_adapter = adapter
      rescue NameError, LoadError => e
        Footplate::Server::BootFailure.new(e).lines
      end
      answer(%i[footplat sidekik good_jobb zebra resque].map { |name| failed(name) })
    RUBY
    setting = "(config.active_job.queue_adapter)"
    expect(told.first(4).map(&:size)).to eq([1, 1, 1, 1])
    expect(told.first(4).flatten).to match(
      ["footplate: Active Job knows no adapter :footplat #{setting}; did you mean :footplate?",
       "footplate: Active Job knows no adapter :sidekik #{setting}; did you mean :sidekiq?",
       /adapter :good_jobb /, /adapter :zebra .*did you mean :footplate\?/]
    )
    expect(told.last.first).to start_with("footplate: Active Job's adapter :resque #{setting} needs a gem that is not")
  end
end

RSpec.describe "footplate check and transactions", :active_job, if: InstalledGems.has?("activerecord") do
  after_commit = Gem::Specification.find_all_by_name("activejob").any? { |it| it.version >= Gem::Version.new("7.2") }

  def told(settings)
    run_ruby(<<~RUBY)
      require "active_job"
      require "active_record"
      require "footplate"
      require "footplate/server/check/active_job"
      ActiveJob::Base.queue_adapter = :footplate
      answer(#{settings}.map do |value|
        ActiveJob::Base.enqueue_after_transaction_commit = value unless value.nil?
        Footplate::Server::Check::ActiveJob.find("production").warnings
      end)
    RUBY
  end

  it "says that jobs are enqueued within them, before Rails 7.2", unless: after_commit do
    expect(told([nil])).to match([[/enqueues at once, within a transaction too: .* after_commit callback.*Rails 7\.2/]])
  end

  it "says it from Rails 7.2 on where the setting says so", if: after_commit do
    never, default, always = told(%i[never default always])
    expect(never).to match([/enqueues at once.*enqueue_after_transaction_commit = (:default|true)\z/])
    expect([default, always]).to eq([[], []])
  end
end
