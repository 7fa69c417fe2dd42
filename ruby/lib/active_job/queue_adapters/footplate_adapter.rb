# frozen_string_literal: true

require "footplate"
require "active_job"

module ActiveJob
  module QueueAdapters
    # Rails 7.2 and newer have a class that adapters inherit from.
    FootplateAdapterBase = const_defined?(:AbstractAdapter, false) ? AbstractAdapter : Object
    private_constant :FootplateAdapterBase

    ##
    # Active Job on Footplate (Rails 6.1 to 8.x):
    #
    #   config.active_job.queue_adapter = :footplate
    #
    # Its payloads are those of Rails' own Sidekiq adapter, so that a Sidekiq server of any version runs them and
    # Sidekiq::Web shows the job's class. With the sidekiq gem loaded they go through Sidekiq's client: its
    # middleware and its Redis. Options the job class set with sidekiq_options are merged in; its queue_as wins.
    class FootplateAdapter < FootplateAdapterBase
      # By name: the constant itself needs the sidekiq gem. Every Sidekiq server can resolve it, 8.x by an alias.
      WRAPPER = "ActiveJob::QueueAdapters::SidekiqAdapter::JobWrapper"

      def initialize(*)
        super()
        @stopping = false
        stop = -> { @stopping = true }
        Footplate.config.on(:quiet, &stop)
        # Also where a Sidekiq server, or one that boots the gem's configuration, runs the jobs.
        ::Sidekiq.configure_server { |config| config.on(:quiet, &stop) } if Footplate::SidekiqGem.loaded?
      end

      # Enqueues a job and sets its provider_job_id to the jid (nil when a client middleware stopped it).
      def enqueue(job)
        job.provider_job_id = client.push(item(job))
      end

      # @param timestamp [Numeric] epoch seconds
      def enqueue_at(job, timestamp)
        job.provider_job_id = client.push(item(job).merge("at" => timestamp))
      end

      # Enqueues many jobs in few round trips (perform_all_later, Rails 7.1 on).
      # @return [Integer] how many were enqueued
      def enqueue_all(jobs)
        jobs.group_by { |job| [job.class, job.queue_name, job.scheduled_at.nil?] }.sum do |_, alike|
          record(alike, client.push_bulk(bulk_item(alike)))
        end
      end

      # Asked by Rails 7.2 where its setting is :default: enqueue after the transaction, so that the job finds what the
      # transaction wrote.
      def enqueue_after_transaction_commit?
        true
      end

      # Whether this process is going to stop; continuations (Rails 8.1) then save their place.
      def stopping?(_job = nil)
        @stopping
      end

      private

      def client
        Footplate::SidekiqGem.client_class&.new || Footplate::Client.new
      end

      def item(job)
        item = frame(job).merge("args" => [job.serialize])
        # Sidekiq 8's per-job profiling.
        item["profile"] = job.profile if job.respond_to?(:profile) && job.profile
        item
      end

      def bulk_item(alike)
        item = frame(alike.first).merge("args" => alike.map { |job| [job.serialize] })
        item["at"] = alike.map { |job| job.scheduled_at.to_f } if alike.first.scheduled_at
        item
      end

      def frame(job)
        { "class" => WRAPPER, "wrapped" => job.class, "queue" => job.queue_name }
      end

      # Before 7.1, Sidekiq left out the jids of jobs that a middleware stopped; then nobody knows to which jobs the
      # others belong.
      def record(jobs, jids)
        jobs.zip(jids) { |job, jid| note(job, jid) } if jids.size == jobs.size
        jids.compact.size
      end

      def note(job, jid)
        job.provider_job_id = jid
        job.successfully_enqueued = !jid.nil? if job.respond_to?(:successfully_enqueued=)
      end
    end
  end
end
