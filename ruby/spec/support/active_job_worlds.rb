# frozen_string_literal: true

require "support/worlds"

##
# Beginnings of scripts with Active Job classes on our adapter (or on the one that ADAPTER names), without and
# with the sidekiq gem. What ran is collected in $ran.
module ActiveJobWorlds
  JOBS = <<~RUBY
    require "logger"
    ActiveJob::Base.logger = Logger.new(File::NULL)
    ActiveJob::Base.queue_adapter = ENV.fetch("ADAPTER", "footplate").to_sym
    $ran = []
    class MailJob < ActiveJob::Base
      queue_as :mail
      sidekiq_options retry: 4, queue: "ignored", tags: ["m"]
      def perform(*args) = $ran << [provider_job_id, args]
    end
    class PlainJob < ActiveJob::Base
      def perform(*args) = $ran << [provider_job_id, args]
    end
  RUBY

  FOOTPLATE = "require 'active_job'\nrequire 'footplate'\n#{JOBS}".freeze
  BOTH = "require 'active_job'\n#{Worlds::BOTH}#{JOBS}".freeze

  # Sidekiq's own adapter, or Rails' for it. Its engine gives Active Job its options in a Rails application.
  SIDEKIQ = <<~RUBY.freeze
    require "active_job"
    #{Worlds::SIDEKIQ}
    require "active_job/queue_adapters/sidekiq_adapter"
    ActiveJob::Base.include(JobModule::Options) unless ActiveJob::Base.respond_to?(:sidekiq_options)
    #{JOBS}
  RUBY

  # A real Sidekiq server in an application that still names our adapter.
  SIDEKIQ_SERVER = "require 'active_job'\n#{Worlds::SIDEKIQ_SERVER}\nrequire 'footplate'\n#{JOBS}".freeze

  # Runs a script against the suite's Redis.
  def script(code, env = {})
    run_ruby(code, { "REDIS_URL" => redis.url }.merge(env))
  end
end
