# frozen_string_literal: true

##
# Beginnings of scripts: the same application with the sidekiq gem, with both, and with Footplate alone.
module Worlds
  # The gem's client and its job module.
  SIDEKIQ = <<~RUBY
    require "sidekiq"
    [:configure_client, :configure_server].each { |m| Sidekiq.public_send(m) { |c| c.redis = { url: ENV["REDIS_URL"] } } }
    JobModule = defined?(Sidekiq::Job) ? Sidekiq::Job : Sidekiq::Worker
    JobClient = Sidekiq::Client
  RUBY

  FOOTPLATE = <<~RUBY
    require "footplate"
    JobModule = Footplate::Job
    JobClient = Footplate::Client
  RUBY

  BOTH = "#{SIDEKIQ.lines.first(2).join}#{FOOTPLATE}".freeze

  # Runs what waits in the queue "default" through the real Sidekiq's processor, one job at a time.
  SIDEKIQ_SERVER = <<~RUBY.freeze
    require "sidekiq/cli"
    #{SIDEKIQ}
    require "logger"
    def run_waiting_jobs
      count = Sidekiq.redis { |c| c.llen("queue:default") }
      processor = sidekiq_processor
      count.times { processor.send(:process_one) }
    end

    def sidekiq_processor
      if Sidekiq::VERSION.to_i >= 7
        Sidekiq.default_configuration.logger = Logger.new(File::NULL)
        Sidekiq::Processor.new(Sidekiq.default_configuration.default_capsule) { |*| }
      else
        Sidekiq.logger = Logger.new(File::NULL)
        options = { queues: ["default"], strict: true }
        Sidekiq::Processor.new(nil, options.merge(fetch: Sidekiq::BasicFetch.new(options)))
      end
    end
  RUBY
end
