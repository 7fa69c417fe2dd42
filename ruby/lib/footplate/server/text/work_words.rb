# frozen_string_literal: true

module Footplate
  module Server
    ##
    # What a process works on, in words: for `footplate check` and for the line that says that it is ready.
    module WorkWords
      ORDER = { strict: "in this order", weighted: "by weight", random: "in any order" }.freeze
      # How many queues a log line names.
      NAMED = 20

      module_function

      # @param capsules [Array<Facade::Capsule>]
      # @return [String] such as "10 threads on queues high (2), low (1); by weight"
      def all(capsules)
        capsules.map do |capsule|
          words = "#{threads(capsule.concurrency)} on #{queues(capsule, most: NAMED)}"
          capsule.name == "default" ? words : "Capsule #{capsule.name}: #{words}"
        end.join(". ")
      end

      def threads(count)
        count == 1 ? "1 thread" : "#{count} threads"
      end

      # @param most [Integer] how many to name
      def queues(capsule, most: capsule.queues.size)
        names = capsule.queues.first(most).map { |name, weight| weight.positive? ? "#{name} (#{weight})" : name }
        return "queue #{names.first}" if capsule.queues.size == 1

        more = " and #{capsule.queues.size - most} more" if capsule.queues.size > most
        "queues #{names.join(", ")}#{more}; #{ORDER.fetch(capsule.mode)}"
      end
    end
  end
end
