# frozen_string_literal: true

require "sidekiq/processor"
require "sidekiq/scheduled"

# A Sidekiq that `footplate bench` measures has no prefix for its keys: it counts nothing and moves nothing of the
# application's. What it does for each job stays as it is; what is left out here happens every few seconds.
module DiscreetSidekiq
  # The application's due jobs are its own processes' business, with its own client middleware.
  module Poller
    def start; end
  end

  # What is flushed to stat:processed and stat:failed.
  module Counter
    def reset
      super
      0
    end
  end

  # What is flushed to the metrics.
  module Tracker
    def flush(*)
      reset && nil
    end
  end

  class << self
    def install
      Sidekiq::Scheduled::Poller.prepend(Poller)
      [Sidekiq::Processor::PROCESSED, Sidekiq::Processor::FAILURE].each { |it| it.extend(Counter) }
      Sidekiq::Metrics::ExecutionTracker.prepend(Tracker) if metrics?
    end

    private

    # From 7 on.
    def metrics?
      require "sidekiq/metrics/tracking"
      true
    rescue LoadError
      false
    end
  end
end

DiscreetSidekiq.install
