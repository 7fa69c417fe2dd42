# frozen_string_literal: true

require "footplate/config/capsule"

module Footplate
  class Config
    ##
    # The capsules of a process. There is always a "default" one, to which the short forms `concurrency` and
    # `queues` belong.
    module Capsules
      # @return [Hash{String => Capsule}]
      def capsules
        @capsules ||= { "default" => Capsule.new("default", self) }
      end

      # Finds or adds a capsule: queues with threads of their own.
      # @yieldparam [Capsule]
      def capsule(name)
        found = capsules[name.to_s] ||= Capsule.new(name.to_s, self)
        yield found if block_given?
        found
      end

      def default_capsule(&block)
        capsule("default", &block)
      end

      # Threads of the default capsule.
      def concurrency
        default_capsule.concurrency
      end

      def concurrency=(threads)
        default_capsule.concurrency = threads
      end

      def total_concurrency
        capsules.each_value.sum(&:concurrency)
      end

      # Queues of the default capsule (see Capsule#queues=).
      def queues
        default_capsule.queues
      end

      def queues=(list)
        default_capsule.queues = list
      end
    end
  end
end
