# frozen_string_literal: true

require "footplate/server/boot_error"
require "footplate/server/text"

module Footplate
  module Server
    ##
    # Reads a list of queues as flags and settings files write it: "name", "name,weight" or [name, weight], or
    # a hash of names and weights. A weight is read with to_i, as Sidekiq does: what is no number counts as none.
    module QueueList
      # Each queue is in the lot as often as its weight says.
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

      # @return [Array<String>] each name as often as it is in the lot
      def expand(pairs)
        pairs.flat_map { |name, weight| [name] * [weight, 1].max }
      end

      # @return [Array<String>] a sentence for each weight that is none; Sidekiq overlooks them without a word
      def doubts(list, origin)
        Array(list).filter_map do |entry|
          name, weight = entry.is_a?(String) ? entry.split(",") : entry
          next if weight.nil? || entry.is_a?(Hash) || weight.to_s.match?(/\A\d+\z/)

          "#{origin}: #{weight.inspect} is no weight of the queue #{name} and is ignored, as Sidekiq does"
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
