# frozen_string_literal: true

require "footplate/client/template"

module Footplate
  class Client
    ##
    # Pushing many jobs of one class in few round trips.
    module Bulk
      BATCH = 1_000
      # Adding to a sorted set costs Redis more, so other clients would wait longer for a batch.
      SCHEDULED_BATCH = 100
      # Seconds. Sidekiq's poller would gather jobs that are closer together anyway.
      LEAST_SPREAD = 5

      # Keys of the call, not of the jobs. May be strings or symbols.
      CALL_KEYS = %w[at spread_interval batch_size].freeze
      private_constant :CALL_KEYS

      # Pushes one job per element of "args". Each passes the client middleware and gets a jid of its own.
      #
      # @param items [Hash] as for push, with "args" an Array (or lazy enumerator) of Arrays, and optionally
      #   "at": one time or one per job, in epoch seconds or seconds from now;
      #   "spread_interval": seconds from now over which to spread the jobs at random (Sidekiq 8.0.8);
      #   "batch_size": jobs per round trip. The hash is left as it is.
      # @return [Array<String, nil>] jids in order, nil for a job that a middleware stopped (Sidekiq 7.1)
      # @raise [ArgumentError] see push. Batches before the one with the mistake have been pushed.
      def push_bulk(items)
        call, item = items.partition { |key, _| CALL_KEYS.include?(key.to_s) }.map(&:to_h)
        call.transform_keys!(&:to_s)
        template = Payload.build(item)
        refuse_shared_jid(item)
        moment = moment_of(call, item["args"])
        size = call["batch_size"] || (moment ? SCHEDULED_BATCH : BATCH)
        item["args"].each_slice(size).with_index.flat_map do |slice, index|
          push_slice(item, template, slice, moment && ->(place) { moment.call((index * size) + place) })
        end.to_a
      end

      private

      def push_slice(item, template, slice, moment)
        raise ArgumentError, "Bulk arguments must be an Array of Arrays: [[1], [2]]" unless slice.all?(Array)
        return push_alike(template, slice) if alike?(item, slice, moment)

        payloads = slice.each_with_index.map do |args, place|
          payload = template.merge("args" => args, "jid" => item["jid"] || Payload.jid)
          payload["at"] = moment.call(place) if moment
          through_middleware(item["class"], payload) { payload.tap { check(payload) } } || nil
        end
        write(payloads.compact) if payloads.any?
        payloads.map { |payload| payload && payload["jid"] }
      end

      # Whether nobody looks at single jobs, and all are pushed to one queue at once.
      def alike?(item, slice, moment)
        !moment && @chain.empty? && !item["jid"] && (!@config.strict_args || StrictArgs.native?(slice))
      end

      def push_alike(payload, slice)
        template = Template.new(payload.merge("enqueued_at" => Payload.timestamp))
        jids = Payload.jids(slice.size)
        send_commands(one_queue(payload["queue"], slice.zip(jids).map { |args, jid| template.dump(args, jid) }))
        jids
      end

      def refuse_shared_jid(item)
        return unless item["jid"] && item["args"].first(2).size > 1

        raise ArgumentError, "Explicitly passing 'jid' when pushing more than one job is not supported"
      end

      # @return [Proc, nil] from a job's place to its epoch seconds; nil when the jobs are to run at once
      def moment_of(call, args)
        at, spread = call.values_at("at", "spread_interval")
        raise ArgumentError, "Only one of 'at' or 'spread_interval' can be provided" if at && spread

        now = Time.now.to_f
        return spread_from(now, spread) if spread
        return unless at

        check_moments(at, args)
        absolute = ->(moment) { moment < Payload::RELATIVE_LIMIT ? now + moment : moment }
        at.is_a?(Array) ? ->(place) { absolute.call(at[place]) } : ->(_) { absolute.call(at) }
      end

      def check_moments(moments, args)
        unless Array(moments).any? && Array(moments).all?(Numeric)
          raise ArgumentError, "Job 'at' must be a Numeric or an Array of Numeric timestamps"
        end
        return unless moments.is_a?(Array) && moments.size != args.size

        raise ArgumentError, "Job 'at' Array must have same size as 'args' Array"
      end

      def spread_from(now, interval)
        unless interval.is_a?(Numeric) && interval.positive?
          raise ArgumentError, "Jobs 'spread_interval' must be a positive Numeric"
        end

        ->(_) { now + (rand * [interval, LEAST_SPREAD].max) }
      end
    end
  end
end
