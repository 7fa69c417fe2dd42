# frozen_string_literal: true

module Footplate
  ##
  # Runs an Active Job on a server without the sidekiq gem: the class that stands in for those named in
  # payloads when their constants do not exist.
  class ActiveJobWrapper
    include Footplate::Job

    # What payloads may call this class: Sidekiq's own adapter (7.3.3 on), and the one Rails brings (which
    # Footplate's adapter writes, because every Sidekiq server finds it).
    NAMES = %w[
      Sidekiq::ActiveJob::Wrapper
      ActiveJob::QueueAdapters::SidekiqAdapter::JobWrapper
    ].freeze

    # @param job_data [Hash] what ActiveJob::Base#serialize wrote
    def perform(job_data)
      ::ActiveJob::Base.execute(job_data.merge("provider_job_id" => jid))
    end
  end
end
