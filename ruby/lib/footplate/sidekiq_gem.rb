# frozen_string_literal: true

module Footplate
  ##
  # What this process knows about the sidekiq gem. It only looks: it never loads the gem.
  module SidekiqGem
    # From 7 on the gem merges new options over old ones. Those that it only adopted from Footplate give way instead.
    module Yielding
      def redis=(options)
        @redis_config = {} if SidekiqGem.adopted?(@redis_config)
        super
      end
    end

    class << self
      # Whether the application has loaded the gem's client.
      def loaded?
        # A module that merely reopens Sidekiq (a third-party gem, a test double) has no version.
        defined?(::Sidekiq::VERSION) && defined?(::Sidekiq::Client) ? true : false
      end

      # @return [SidekiqVersion] whose forms payloads have
      def version
        loaded? ? SidekiqVersion.loaded : SidekiqVersion::NEWEST
      end

      # @return [Hash, nil] the gem's defaults for job classes; nil without the gem
      def default_job_options
        return unless loaded?

        version.default_job_options? ? ::Sidekiq.default_job_options : ::Sidekiq.default_worker_options
      end

      # What an application tells only Footplate about Redis counts for the gem as well: otherwise its jobs would be
      # pushed to one Redis and looked for in another.
      # @yieldreturn [Hash{Symbol => Object}] complete options, address included
      def adopt_redis
        return unless loaded? && (redis.nil? || adopted?(redis))

        options = yield
        # Without a URL the gem would look into the environment, even if the options have an address.
        options = { url: url_of(options) }.merge(options)
        if version.capsules?
          ::Sidekiq.default_configuration.extend(Yielding).redis = options
        else
          ::Sidekiq.redis = options
        end
        @adopted = redis
      end

      # Whether the gem was given a Redis, or has made a pool for itself.
      def redis?
        loaded? && !redis.nil?
      end

      # @param options [Object] what the gem has
      def adopted?(options)
        !@adopted.nil? && options.equal?(@adopted)
      end

      # The class that pushes Active Job's payloads. Sidekiq.transactional_push! (7.0 on) replaces it.
      # @return [Class, nil] nil without the gem
      def client_class
        default_job_options["client_class"] || ::Sidekiq::Client if loaded?
      end

      private

      # @return [Object, nil] what the gem was given, or made for itself at first use
      def redis
        return ::Sidekiq.instance_variable_get(:@redis) unless version.capsules?

        options = ::Sidekiq.default_configuration.instance_variable_get(:@redis_config)
        options unless options.empty?
      end

      def url_of(options)
        return "unix://#{options[:path]}" if options[:path]

        host = options[:host] || options[:name] || "localhost"
        "#{options[:ssl] ? "rediss" : "redis"}://#{host.include?(":") ? "[#{host}]" : host}"
      end
    end
  end
end
