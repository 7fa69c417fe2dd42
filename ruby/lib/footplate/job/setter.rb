# frozen_string_literal: true

require "footplate/job/inline"

module Footplate
  module Job
    ##
    # Options for one push of a job class: what `MyJob.set(queue: "low")` returns.
    class Setter
      def initialize(job_class, options = {})
        @job_class = job_class
        @options = {}
        set(options) unless options.empty?
      end

      # Adds options; see ClassMethods#set.
      # @return [self]
      def set(options)
        options = options.transform_keys(&:to_s)
        # Active Job's names for a moment.
        moment = options.delete("wait_until") || options.delete("wait")
        options.delete("wait")
        @options.merge!(options)
        at(moment) if moment
        self
      end

      # With `sync: true` the job runs inline instead.
      def perform_async(*args)
        return perform_inline(*args) if @options["sync"] == true

        @job_class.client_push(item(args))
      end

      def perform_in(moment, *args)
        at(moment).perform_async(*args)
      end
      alias perform_at perform_in

      def perform_bulk(args, **options)
        @job_class.build_client(@options["pool"]).push_bulk(item(args).merge(options))
      end

      def perform_inline(*args)
        Inline.run(item(args))
      end
      alias perform_sync perform_inline

      private

      def item(args)
        @options.merge("class" => @job_class, "args" => args)
      end

      def at(moment)
        seconds = Payload.run_at(moment)
        @options["at"] = seconds if seconds
        self
      end
    end
  end
end
