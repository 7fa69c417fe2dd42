# frozen_string_literal: true

require "json"
require "securerandom"

module Footplate
  ##
  # Builds and encodes job payloads: the JSON object that Sidekiq's queues hold. It may not touch Redis.
  #
  # 1. validates what the caller passed,
  # 2. merges the options of the job class (and of a wrapped Active Job class) below it,
  # 3. adds jid and created_at in the unit of the loaded version of Sidekiq.
  module Payload
    # A number below this is a duration in seconds from now, otherwise a time (Sidekiq's rule).
    RELATIVE_LIMIT = 1_000_000_000

    class << self
      # @param item [Hash{String => Object}] with "class" and "args"
      # @return [Hash{String => Object}] a new payload; keys in the order in which Sidekiq writes them
      # @raise [ArgumentError] when Sidekiq's client would refuse the item too
      def build(item)
        validate(item)
        payload = options_for(item).merge(item)
        queue = payload["queue"]
        raise ArgumentError, "Job must include a valid queue name" if queue.nil? || queue == ""

        # They say how to push, and are no part of the stored job.
        payload.delete("pool")
        payload.delete("client_class")
        complete(payload)
      end

      # The current time in the unit of created_at and enqueued_at: integer milliseconds, or float seconds
      # for Sidekiq before 8.
      def timestamp
        return Time.now.to_f unless SidekiqGem.version.milliseconds?

        Process.clock_gettime(Process::CLOCK_REALTIME, :millisecond)
      end

      def jid
        SecureRandom.hex(12)
      end

      # @return [Array<String>]
      def jids(count)
        SecureRandom.hex(12 * count).unpack("a24" * count)
      end

      # Resolves a duration or a time to epoch seconds.
      # @param moment [#to_f] seconds from now, epoch seconds, a Time or an ActiveSupport::Duration
      # @return [Float, nil] nil when that moment is not in the future: such a job is pushed at once
      def run_at(moment)
        now = Time.now.to_f
        seconds = moment.to_f
        seconds += now if seconds < RELATIVE_LIMIT
        seconds if seconds > now
      end

      # @raise [JSON::GeneratorError] for invalid UTF-8, NaN and infinities
      def dump(payload)
        JSON.generate(payload)
      end

      private

      def validate(item)
        unless item.is_a?(Hash) && item.key?("class") && item.key?("args")
          refuse("Job must be a Hash with 'class' and 'args' keys", item)
        end
        refuse("Job args must be an Array", item) unless arguments?(item["args"])
        unless item["class"].is_a?(Class) || item["class"].is_a?(String)
          refuse("Job class must be either a Class or String representation of the class name", item)
        end
        validate_options(item)
      end

      def validate_options(item)
        refuse("Job 'at' must be a Numeric timestamp", item) if item.key?("at") && !item["at"].is_a?(Numeric)
        refuse("Job tags must be an Array", item) if item["tags"] && !item["tags"].is_a?(Array)
        return unless item["retry_for"] && item["retry_for"] > RELATIVE_LIMIT

        refuse("retry_for must be a relative amount of time, e.g. 48.hours", item)
      end

      def refuse(problem, item)
        raise ArgumentError, "#{problem}: `#{item}`"
      end

      # Bulk pushes may pass a lazy enumerator.
      def arguments?(args)
        args.is_a?(Array) || args.is_a?(Enumerator::Lazy)
      end

      def options_for(item)
        options = class_options(item["class"])
        wrapped = item["wrapped"]
        wrapped.respond_to?(:get_sidekiq_options) ? options.merge(wrapped.get_sidekiq_options) : options
      end

      def class_options(job_class)
        return Footplate.default_job_options unless job_class.is_a?(Class)
        return job_class.get_sidekiq_options if job_class.respond_to?(:get_sidekiq_options)

        raise ArgumentError, "Message must include a Sidekiq::Job class, not class name: " \
                             "#{job_class} includes neither Footplate::Job nor Sidekiq::Job"
      end

      def complete(payload)
        payload["jid"] ||= jid
        payload["class"] = payload["class"].to_s
        payload["queue"] = payload["queue"].to_s
        payload["retry_for"] = payload["retry_for"].to_i if payload["retry_for"]
        payload["created_at"] ||= timestamp
        payload
      end
    end
  end
end
