# frozen_string_literal: true

require "json"
require "securerandom"
require "time"

module SideBySide
  ##
  # Payloads as the clients write them, made from a pattern so that making them costs little.
  module Payloads
    JOBS = Hash.new("NoopJob").merge("raising" => "RaisingJob", "sleep" => "SleepingJob", "cpu" => "FibonacciJob",
                                     "latency10" => "LatencyJob", "latency100" => "LatencyJob").freeze
    # Known to every Rails and every Sidekiq that has an adapter.
    WRAPPER = "ActiveJob::QueueAdapters::SidekiqAdapter::JobWrapper"

    # @param load [String] its name
    # @return [String] the job number `number` of a load; for latency, `float` is when it is pushed
    def self.job(load, number, float = 1.5)
      return active_job(number, float) if load == "activejob"

      plain(JOBS[load], "#{number},#{float}")
    end

    def self.plain(job_class, args = "")
      now = Time.now.to_f
      %({"retry":true,"queue":"default","class":"#{job_class}","args":[#{args}],"jid":"#{SecureRandom.hex(12)}",) +
        %("created_at":#{now},"enqueued_at":#{now}})
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
