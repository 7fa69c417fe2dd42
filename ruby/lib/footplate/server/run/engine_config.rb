# frozen_string_literal: true

require "json"
require "footplate/server/boot/boot_error"
require "footplate/server/text"

module Footplate
  module Server
    ##
    # Writes the JSON that the engine starts from (src/config/mod.rs). Everything in it is resolved: the
    # application was loaded, :startup has fired. The two files change together.
    class EngineConfig
      # @param settings [Settings]
      # @param facade [Facade::Base]
      # @param nonce [String] differs from the facade's in a process that needs a new identity, such as a forked child
      def initialize(settings, facade, nonce: facade.nonce)
        @settings = settings
        @facade = facade
        @nonce = nonce
      end

      # @return [String]
      def to_json(*)
        JSON.generate(Text.readable_all(to_h))
      end

      # @return [Hash{Symbol => Object}]
      def to_h
        process.merge(
          sidekiq_version: (@facade.sidekiq_version.to_s if @facade.gem?), redis: @facade.redis_settings, capsules:,
          dead_max_jobs: @facade.dead_max_jobs, dead_timeout_in_seconds: @facade.dead_timeout_in_seconds,
          max_retries: @facade.max_retries, client_middleware: @facade.client_middleware?, log:,
          tuning: @settings.tuning
        )
      end

      private

      def process
        {
          hostname: @facade.hostname, pid: Process.pid, nonce: @nonce, started_at: Time.now.to_f,
          tag: @facade.tag, labels: @facade.labels
        }
      end

      def capsules
        @facade.capsules.map do |capsule|
          {
            name: capsule.name, concurrency: capsule.concurrency, mode: capsule.mode,
            queues: capsule.queues.map { |name, weight| { name: queue_name(name), weight: } }
          }
        end
      end

      # Replacing invalid bytes would name another queue.
      def queue_name(name)
        Text.utf8(name.to_s).tap do |text|
          raise BootError, "queues: #{text.scrub.inspect} must be UTF-8, as payloads are" unless text.valid_encoding?
        end
      end

      def log
        { native: @facade.native_log, skip_default_job_logging: @facade.skip_default_job_logging? }
      end
    end
  end
end
