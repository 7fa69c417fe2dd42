# frozen_string_literal: true

module Footplate
  ##
  # A version of Sidekiq, and what it does differently from other versions; nothing else in Ruby compares versions. Each
  # question says since which release the answer is yes. Its counterpart in the engine has the same name, in
  # src/dialect/sidekiq.
  class SidekiqVersion
    # @param text [String] such as "8.1.7"; a prerelease counts as the release that it leads to
    def initialize(text)
      @text = text
      @major, minor, patch = Gem::Version.new(text).release.segments
      @number = number(@major, minor.to_i, patch.to_i)
    end

    # @return [SidekiqVersion] of the gem that is loaded, else NEWEST
    def self.loaded
      return NEWEST unless defined?(::Sidekiq::VERSION)

      @loaded ||= new(::Sidekiq::VERSION)
    end

    # @return [Integer]
    attr_reader :major

    def to_s
      @text
    end

    # 6.5.2: sidekiq_retry_in may answer :discard or :kill.
    def retry_in_decides?
      since?(6, 5, 2)
    end

    # 7.0: Sidekiq::Config, which has capsules; before, the module Sidekiq holds the options.
    def capsules?
      since?(7)
    end

    # 7.0: default_job_options; before, they were called default_worker_options.
    def default_job_options?
      since?(7)
    end

    # 7.0: a chain makes all its middleware before it calls the first, and a middleware that yields twice runs all that
    # follows twice. Versions after 8 are not known.
    def makes_middleware_first?
      major.between?(7, 8)
    end

    # 7.0: worker threads are named after their capsule.
    def capsule_in_thread_names?
      since?(7)
    end

    # 7.0: error handlers no longer get the text (:jobstr) of a job that failed.
    def error_handlers_without_jobstr?
      since?(7)
    end

    # 7.0.8: sidekiq_retry_in is given the payload, too.
    def retry_in_takes_payload?
      since?(7, 0, 8)
    end

    # 7.1: the names of threads begin with "sidekiq.".
    def sidekiq_in_thread_names?
      since?(7, 1)
    end

    # 7.1.3: the blocks of an Active Job class count instead of the wrapper's.
    def blocks_of_wrapped?
      since?(7, 1, 3)
    end

    # 7.2: sidekiq_retries_exhausted may answer :discard.
    def exhausted_decides?
      since?(7, 2)
    end

    # 7.3: the option skip_default_job_logging.
    def skips_job_logging?
      since?(7, 3)
    end

    # 8.0: created_at and enqueued_at are integer milliseconds; before, float seconds.
    def milliseconds?
      since?(8)
    end

    # 8.0: an application in one file has its folder's name as a tag; before, only Rails applications had one.
    def tags_files?
      since?(8)
    end

    # 8.0.7: death handlers hear of a discarded job.
    def discard_is_death?
      since?(8, 0, 7)
    end

    # 8.0.8: what they hear has a discarded_at.
    def stamps_discards?
      since?(8, 0, 8)
    end

    private

    def since?(major, minor = 0, patch = 0)
      @number >= number(major, minor, patch)
    end

    # One integer, because every push asks.
    def number(major, minor, patch)
      (major << 32) | (minor << 16) | patch
    end

    # The version to behave like without the gem.
    NEWEST = new("8.1.7")
  end
end
