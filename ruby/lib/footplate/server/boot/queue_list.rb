# frozen_string_literal: true

require "footplate/server/boot/boot_error"
require "footplate/server/text"

module Footplate
  module Server
    ##
    # Reads a list of queues as flags and settings files write it: "name", "name,weight" or [name, weight], or
    # a hash of names and weights. A weight is read with to_i, as in Sidekiq: what is not a number counts as no weight.
    module QueueList
      # Sidekiq's list contains each queue as often as its weight says.
      MOST_WEIGHT = 100_000

      NAMES = [String, Symbol, Numeric].freeze
      private_constant :NAMES

      module_function

      # @param list [Array, Hash, String, Symbol, nil]
      # @param origin [String] where it stands, for errors
      # @return [Array<Array(String, Integer)>] name and weight, 0 for none
      # @raise [BootError] for an entry that is neither
      def parse(list, origin = "queues")
        Array(list).map { |entry| pair(entry, origin) }
      end

      # @param pairs [Array] as answered by parse
      # @return [Array<String>] in Sidekiq's own notation
      def to_strings(pairs)
        pairs.map { |name, weight| weight.positive? ? "#{name},#{weight}" : name }
      end

      # @return [Array<String>] each name as often as its weight says
      def expand(pairs)
        pairs.flat_map { |name, weight| [name] * [weight, 1].max }
      end

      # @param origin [String] where it stands
      # @param cure [String] how several queues are written there
      # @return [Array<String>] a sentence for each entry that is probably meant differently, which Sidekiq would accept
      #   without a word
      def doubts(list, origin, cure)
        Array(list).filter_map do |entry|
          name, weight = entry.is_a?(String) ? Text.utf8(entry).scrub.split(",", 2) : entry
          next "#{origin}: * is the name of one queue here, not of all; #{cure}" if name == "*"
          next if weight.nil? || weight.to_s.match?(/\A\s*\d+\s*\z/)

          number = weight_of(weight, origin, entry)
          fate = number.positive? ? "is read as #{number}" : "is ignored; #{cure}"
          "#{origin}: #{weight.inspect} is no weight for the queue #{name} and #{fate}"
        end
      end

      def pair(entry, origin)
        name, weight =
          case entry
          when String, Symbol, Numeric then Text.utf8(entry.to_s).scrub.split(",")
          when Array then entry
          else refuse(origin, entry)
          end
        refuse(origin, entry) unless NAMES.any? { |type| name.is_a?(type) } && !name.to_s.strip.empty?

        [name.to_s, weight_of(weight, origin, entry)]
      end
      private_class_method :pair

      def weight_of(weight, origin, entry)
        weight = weight.respond_to?(:to_i) ? [weight.to_i, 0].max : 0
        raise RangeError if weight > MOST_WEIGHT

        weight
      rescue RangeError # and Infinity, and what is not a number
        raise BootError, "#{origin}: #{entry.inspect} has a weight above #{MOST_WEIGHT}"
      end
      private_class_method :weight_of

      def refuse(origin, entry)
        raise BootError, "#{origin}: #{entry.inspect} is not a queue; write a name, \"name,weight\" or [name, weight]"
      end
      private_class_method :refuse
    end
  end
end
