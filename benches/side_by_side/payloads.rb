# frozen_string_literal: true

require "securerandom"
require "time"
require_relative "../../ruby/lib/footplate/bench/payloads"

module SideBySide
  ##
  # The payloads of the loads' jobs.
  module Payloads
    JOBS = Hash.new("NoopJob").merge("raising" => "RaisingJob", "sleep" => "SleepingJob", "cpu" => "FibonacciJob",
                                     "latency" => "LatencyJob").freeze
    MIXED = %w[MixedNoopJob MixedCpuJob MixedIoJob].freeze
    # Known to every Rails and every Sidekiq that has an adapter.
    WRAPPER = "ActiveJob::QueueAdapters::SidekiqAdapter::JobWrapper"

    # @param kind [String] of a load
    # @param second [#to_s] second argument, as JSON; for latency: when it ought to be pushed, or is due
    # @return [String] the job number `number`
    def self.job(kind, number, second = 1.5, queue: "default")
      return active_job(number, second) if kind.start_with?("activejob")

      job_class = kind == "mixed" ? MIXED[number % MIXED.size] : JOBS[kind]
      plain(job_class, "#{number},#{second}", queue)
    end

    # See Footplate::Bench::Payloads.
    def self.plain(...)
      Footplate::Bench::Payloads.plain(...)
    end

    def self.active_job(number, float)
      now = Time.now
      data = %({"job_class":"NoopActiveJob","job_id":"#{SecureRandom.uuid}","provider_job_id":null,) +
             %("queue_name":"default","priority":null,"arguments":[#{number},#{float}],"executions":0,) +
             %("exception_executions":{},"locale":"en","timezone":null,"enqueued_at":"#{now.utc.iso8601}"})
      %({"retry":true,"queue":"default","class":"#{WRAPPER}","wrapped":"NoopActiveJob","args":[#{data}],) +
        %("jid":"#{SecureRandom.hex(12)}","created_at":#{now.to_f},"enqueued_at":#{now.to_f}})
    end
    private_class_method :active_job
  end
end
