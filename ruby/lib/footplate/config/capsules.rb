# frozen_string_literal: true

require "forwardable"
require "footplate/config/capsule"

module Footplate
  class Config
    ##
    # The capsules of a process. There is always a "default" one, to which the short forms `concurrency` and
    # `queues` belong.
    module Capsules
      extend Forwardable

      # Threads and queues (see Capsule#queues=) of the default capsule.
      def_delegators :default_capsule, :concurrency, :concurrency=, :queues, :queues=

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

      def total_concurrency
        capsules.each_value.sum(&:concurrency)
      end
    end
  end
end
