# frozen_string_literal: true

# In a Sidekiq that `footplate bench` measures, which has no prefix for its keys: it counts nothing and moves nothing
# of the application's. What it does for each job stays as it is; what is left out here happens every few seconds.
require "sidekiq/processor"
require "sidekiq/scheduled"

# The application's due jobs are its own processes' business, with its own client middleware.
Sidekiq::Scheduled::Poller.prepend(Module.new { define_method(:start) { nil } })

# What is flushed to stat:processed and stat:failed.
[Sidekiq::Processor::PROCESSED, Sidekiq::Processor::FAILURE].each do |counter|
  counter.define_singleton_method(:reset) do
    super()
    0
  end
end

# From 7 on.
begin
  require "sidekiq/metrics/tracking"
  Sidekiq::Metrics::ExecutionTracker.prepend(Module.new { define_method(:flush) { |*| reset && nil } })
rescue LoadError
  nil
end
