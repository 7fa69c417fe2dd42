# frozen_string_literal: true

require "footplate/server/boot/redis_settings"
require "footplate/server/text/work_words"

module Footplate
  module Server
    ##
    # The first lines of the log, with Sidekiq's own words where log parsers and people look for them.
    class Banner
      # What the log says once jobs can run.
      # @param facade [Facade::Base]
      def self.ready(facade)
        "Ready: #{WorkWords.all(facade.capsules)}"
      end

      # @param boot [Boot]
      def initialize(boot)
        @boot = boot
      end

      # @return [Array<String>]
      def lines
        [booted, "Running in #{RUBY_DESCRIPTION}", loaded, redis].compact
      end

      private

      def booted
        version = @boot.application.rails_version
        "Booted Rails #{version} application in #{@boot.settings.environment} environment" if version
      end

      def loaded
        facade = @boot.facade
        "Footplate #{VERSION} in place of Sidekiq #{facade.sidekiq_version}" if facade.gem?
      end

      def redis
        "Footplate #{VERSION} connecting to Redis with options #{RedisSettings.scrubbed(@boot.facade.redis_settings)}"
      end
    end
  end
end
