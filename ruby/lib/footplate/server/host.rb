# frozen_string_literal: true

require "footplate/sidekiq_version"

module Footplate
  module Server
    ##
    # One interface over what the application may have loaded: Sidekiq 6 (its module is the configuration),
    # Sidekiq 7 and 8 (Sidekiq::Config with capsules), or no Sidekiq (Footplate::Config). See Host::Base for
    # the interface. Nothing of the gem is copied here: where it holds the truth, it is asked.
    module Host
      # A group of threads with queues of its own. Sidekiq 6 has one, "default".
      #
      # name::        String
      # concurrency:: Integer, threads
      # mode::        :strict, :weighted or :random
      # queues::      Array of [name, weight]; the weight is 0 where none was given
      # gem_capsule:: what the application's libraries know it as: Sidekiq::Capsule, Footplate::Config::Capsule,
      #               or nil with Sidekiq 6. Worker threads from 7 on set Thread.current[:sidekiq_capsule] to it.
      Capsule = Struct.new(:name, :concurrency, :mode, :queues, :gem_capsule, keyword_init: true)

      # The host for what is loaded now. Ask after Application.prepare.
      # @return [Host::Base]
      def self.detect
        if !defined?(::Sidekiq::VERSION)
          require "footplate/server/host/plain"
          Plain.new
        elsif SidekiqVersion.loaded.capsules?
          require "footplate/server/host/sidekiq"
          Sidekiq.new
        else
          require "footplate/server/host/sidekiq6"
          Sidekiq6.new
        end
      end
    end
  end
end
