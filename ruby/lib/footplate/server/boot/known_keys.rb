# frozen_string_literal: true

require "did_you_mean"
require "footplate/server/boot/numbers"

module Footplate
  module Server
    ##
    # The keys of settings files. Others are kept without a word, because they may belong to the application or to
    # another gem. Only one that looks like a misspelt known key gets a warning.
    module KnownKeys
      # Footplate's own, with their units in their names.
      TUNING = %i[lease_seconds beat_seconds prefetch_ms shortcuts].freeze

      # Numbers of seconds, above 0.
      SECONDS = %i[timeout lease_seconds beat_seconds].freeze

      # Whole numbers, 0 included.
      COUNTS = %i[max_retries dead_max_jobs dead_timeout_in_seconds prefetch_ms].freeze

      # Lists of words, as the engine knows them.
      WORDS = %i[shortcuts].freeze

      # The most that the engine can hold, for some counts.
      MOST = { max_retries: Numbers::MOST_RETRIES, prefetch_ms: (2**32) - 1 }.freeze

      SIDEKIQ = %i[
        concurrency queues verbose tag labels require environment capsules strict pidfile logfile daemon
        on_complex_arguments max_iteration_runtime logged_job_attributes skip_default_job_logging redis_idle_timeout
      ].freeze

      # Sidekiq's, and without a use here: scheduled jobs run when they are due.
      NEEDLESS = %i[average_scheduled_poll_interval poll_interval_average].freeze

      # Keys of other gems (sidekiq-scheduler, sidekiq-cron, sidekiq-limit_fetch) that resemble some of the above.
      FOREIGN = %i[schedule scheduler dynamic enabled limits process_limits blocking cron_poll_interval].freeze

      ALL = (SECONDS + COUNTS + WORDS + SIDEKIQ + NEEDLESS + FOREIGN).freeze

      module_function

      # Without the gem, the word Sidekiq would only puzzle.
      def whose
        defined?(::Sidekiq::VERSION) ? "Sidekiq or Footplate" : "Footplate"
      end
      private_class_method :whose

      # @param hash [Hash{Symbol => Object}]
      # @param path [String]
      # @return [Array<String>] a sentence for each key that is probably misspelt
      def misspelt(hash, path)
        checker = DidYouMean::SpellChecker.new(dictionary: ALL)
        (hash.keys - ALL).grep(Symbol).filter_map do |key|
          meant = checker.correct(key).first or next
          "#{path}: #{key} is no setting of #{whose}; did you mean #{meant}? It is kept as it is."
        end
      end
    end
  end
end
