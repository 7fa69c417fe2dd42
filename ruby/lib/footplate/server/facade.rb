# frozen_string_literal: true

require "footplate/sidekiq_version"

module Footplate
  module Server
    ##
    # One interface over the application's Sidekiq, whichever it has loaded: Sidekiq 6 (its module is the
    # configuration), Sidekiq 7 and 8 (Sidekiq::Config with capsules), or none (Footplate::Config). Facade::Base has
    # the interface. Nothing of the gem is copied here; the gem is asked. It is called a facade and not an adapter
    # because that word is Active Job's, here as in every Rails application.
    module Facade
      # A group of threads with queues of its own. Sidekiq 6 has one, "default".
      #
      # name::        String
      # concurrency:: Integer, threads
      # mode::        :strict, :weighted or :random
      # queues::      Array of [name, weight]; the weight is 0 where none was given
      # gem_capsule:: the application's own object for it: Sidekiq::Capsule, Footplate::Config::Capsule, or nil with
      #               Sidekiq 6. From Sidekiq 7 on worker threads have it in Thread.current[:sidekiq_capsule].
      Capsule = Struct.new(:name, :concurrency, :mode, :queues, :gem_capsule, keyword_init: true)

      # For what is loaded now. Ask after Application.prepare.
      # @return [Facade::Base]
      def self.detect
        if !defined?(::Sidekiq::VERSION)
          require "footplate/server/facade/without_gem"
          WithoutGem.new
        elsif SidekiqVersion.loaded.capsules?
          require "footplate/server/facade/sidekiq7"
          Sidekiq7.new
        else
          require "footplate/server/facade/sidekiq6"
          Sidekiq6.new
        end
      end
    end
  end
end
