# frozen_string_literal: true

require "securerandom"

module Footplate
  module Bench
    ##
    # Payloads as the clients write them, made from a pattern so that making them costs little.
    module Payloads
      module_function

      # @param args [String] JSON, without the brackets
      # @param retries [Boolean] false where nothing may end in the retry or dead set
      def plain(job_class, args = "", queue = "default", retries: true)
        # Sidekiq 8 writes milliseconds and reads both.
        now = Time.now.to_f
        %({"retry":#{retries},"queue":"#{queue}","class":"#{job_class}","args":[#{args}],) +
          %("jid":"#{SecureRandom.hex(12)}","created_at":#{now},"enqueued_at":#{now}})
      end
    end
  end
end
