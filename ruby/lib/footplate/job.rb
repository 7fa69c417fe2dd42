# frozen_string_literal: true

require "footplate/job/options"
require "footplate/job/setter"

module Footplate
  ##
  # Makes a class a background job, in an application without the sidekiq gem. Reads and behaves like
  # Sidekiq::Job, and a Sidekiq server can run such a class too:
  #
  #   class SendInvoice
  #     include Footplate::Job
  #     footplate_options queue: "mail", retry: 5
  #
  #     def perform(invoice_id) = Invoice.find(invoice_id).deliver
  #   end
  #
  #   SendInvoice.perform_async(42)
  module Job
    # The job's id; the server sets it before `perform`.
    attr_accessor :jid

    # What the server lets the job ask while it runs (`stopping?`). Set by the server.
    attr_accessor :_context

    def self.included(base)
      if base.ancestors.any? { |ancestor| ancestor.name == "ActiveJob::Base" }
        raise ArgumentError, "Footplate::Job cannot be included in an Active Job: #{base.name}"
      end

      base.include(Options)
      base.extend(ClassMethods)
    end

    # Whether the process is about to stop, so that a long job should leave off at a good place.
    def interrupted?
      @_context&.stopping?
    end

    def logger
      Footplate.logger
    end

    # The class's ways to enqueue itself.
    module ClassMethods
      # Enqueues a job.
      # @return [String, nil] its jid; nil when a client middleware stopped it
      # @raise see Client#push
      def perform_async(*args)
        client_push("class" => self, "args" => args)
      end

      # Enqueues a job for later.
      # @param moment [#to_f] seconds from now or, from 1,000,000,000 on, epoch seconds. What is not in the
      #   future is enqueued at once.
      # @return [String, nil] see perform_async
      def perform_in(moment, *args)
        Setter.new(self).perform_in(moment, *args)
      end
      alias perform_at perform_in

      # Enqueues a job per element, in few round trips.
      # @param args [Array<Array>, Enumerator::Lazy]
      # @param options batch_size:, at:, spread_interval: (see Client::Bulk#push_bulk)
      # @return [Array<String, nil>] jids
      def perform_bulk(args, **options)
        Setter.new(self).perform_bulk(args, **options)
      end

      # Runs the job here and now, through client and server middleware and JSON, without retries.
      # @return [true, nil] nil when a middleware kept it from running
      # @raise whatever the job raises
      def perform_inline(*args)
        Setter.new(self).perform_inline(*args)
      end
      alias perform_sync perform_inline

      # Options for one push: queue, retry, wait (seconds), wait_until, sync, pool, and whatever belongs in the
      # payload.
      # @return [Setter] with the perform methods above
      def set(options)
        Setter.new(self, options)
      end

      def queue_as(queue)
        footplate_options("queue" => queue.to_s)
      end

      # Pushes a payload in the making, to the Redis that this class belongs to.
      # @param item [Hash{String => Object}]
      # @raise [ArgumentError] for symbol keys; see Client#push
      def client_push(item)
        if item.keys.any?(Symbol)
          raise ArgumentError, "Job payloads should contain no Symbols: #{item}"
        end

        build_client(item["pool"]).push(item)
      end

      # @param pool [#with, nil] from `set(pool:)`; it comes before `Client.via`, and that before the class's option
      def build_client(pool = nil)
        options = get_sidekiq_options
        (options["client_class"] || Client).new(pool: pool || Client.current_pool || options["pool"])
      end
    end
  end
end
