# frozen_string_literal: true

require "securerandom"

module Footplate
  module Server
    ##
    # Jobs as clients write them. `retry` is false: whatever goes wrong, none of them may end in the application's
    # retry or dead set.
    module BenchPayloads
      module_function

      def noop(number, queue)
        job("FootplateBenchNoop", "#{number},1735689600.123", queue)
      end

      # @param pushed [Float] by the monotonic clock, which all processes of a machine share
      def latency(pushed, queue)
        job("FootplateBenchLatency", pushed, queue)
      end

      # Has the worker say that it came so far.
      # @param count [Integer] how much must have run by then
      def mark(name, count, queue)
        job("FootplateBenchMark", %("#{name}",#{count}), queue)
      end

      def job(name, args, queue)
        # Sidekiq 8 writes milliseconds and reads both.
        now = Time.now.to_f
        %({"retry":false,"queue":"#{queue}","class":"#{name}","args":[#{args}],"jid":"#{SecureRandom.hex(12)}",) +
          %("created_at":#{now},"enqueued_at":#{now}})
      end
    end
  end
end
