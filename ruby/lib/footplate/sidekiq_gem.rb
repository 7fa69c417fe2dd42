# frozen_string_literal: true

module Footplate
  ##
  # What this process knows about the sidekiq gem. It only looks: it never loads the gem.
  module SidekiqGem
    class << self
      # Whether the application has loaded the gem's client.
      def loaded?
        # A module that merely reopens Sidekiq (a third-party gem, a test double) has no version.
        defined?(::Sidekiq::VERSION) && defined?(::Sidekiq::Client) ? true : false
      end

      # @return [Integer, nil] 6, 7 or 8; nil without the gem
      def generation
        ::Sidekiq::VERSION.to_i if loaded?
      end

      # Sidekiq 8 counts created_at and enqueued_at in integer milliseconds; earlier generations, whose
      # readers would misread those, in float seconds.
      def milliseconds?
        !loaded? || generation >= 8
      end

      # @return [Hash, nil] the gem's defaults for job classes; nil without the gem
      def default_job_options
        return unless loaded?

        # Named default_worker_options before Sidekiq 7.
        generation >= 7 ? ::Sidekiq.default_job_options : ::Sidekiq.default_worker_options
      end

      # The class that pushes Active Job's payloads. Sidekiq.transactional_push! (7.0 on) replaces it.
      # @return [Class, nil] nil without the gem
      def client_class
        default_job_options["client_class"] || ::Sidekiq::Client if loaded?
      end
    end
  end
end
