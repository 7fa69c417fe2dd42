# frozen_string_literal: true

require "footplate/server/boot_error"

module Footplate
  module Server
    ##
    # Reads a list of queues as flags and settings files write it: "name", "name,weight" or [name, weight].
    # A weight is read with to_i, as Sidekiq does: what is no number counts as none.
    module QueueList
      module_function

      # @param list [Array, String, Symbol, nil]
      # @param origin [String] where it stands, for errors
      # @return [Array<Array(String, Integer)>] name and weight, 0 for none
      # @raise [BootError] for an entry that is neither
      def parse(list, origin = "queues")
        Array(list.is_a?(Hash) ? [list] : list).map { |entry| pair(entry, origin) }
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

      def pair(entry, origin)
        name, weight =
          case entry
          when String, Symbol, Integer then entry.to_s.split(",")
          when Array then entry
          else refuse(origin, entry)
          end
        refuse(origin, entry) unless name.respond_to?(:to_s) && !name.to_s.strip.empty?

        [name.to_s, [weight.to_i, 0].max]
      end
      private_class_method :pair

      def refuse(origin, entry)
        raise BootError, "#{origin}: #{entry.inspect} is not a queue; write a name, \"name,weight\" or [name, weight]"
      end
      private_class_method :refuse
    end
  end
end
