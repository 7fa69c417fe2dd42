# frozen_string_literal: true

require "footplate/server/boot/boot_error"

module Footplate
  module Server
    ##
    # Reads numbers from settings files and from the environment, where they may be strings.
    module Numbers
      # Beyond this, Lua and JSON cannot tell one whole number from the next.
      MOST = (2**53) - 1
      # Some thirty years.
      MOST_SECONDS = 1_000_000_000
      # What the engine can hold.
      MOST_RETRIES = (2**32) - 1
      # As in src/cli/args.rs. More can only be a mistake: no machine runs so many.
      MOST_THREADS = 10_000

      module_function

      # @param name [String, Symbol] for the sentence
      # @param value [Object] a number, a string, or an object with to_int or to_i, such as Active Support's durations
      # @return [Integer]
      # @raise [BootError]
      def whole(name, value, least: 1, most: MOST)
        number = integer(value) or raise BootError, "#{name}: #{value.inspect} is not a whole number"
        refuse(name, value, "#{least} or more") if number < least
        refuse(name, value, "#{most} or less") if number > most

        number
      end

      # @return [Integer]
      # @raise [BootError]
      def threads(name, value)
        whole(name, value, most: MOST_THREADS)
      end

      # @return [Numeric] above 0
      # @raise [BootError]
      def seconds(name, value)
        number = numeric(value)
        raise BootError, "#{name}: #{value.inspect} is not a number" unless number&.finite?

        refuse(name, value, "above 0") unless number.positive?
        refuse(name, value, "#{MOST_SECONDS} or less") if number > MOST_SECONDS

        number
      end

      def refuse(name, value, bound)
        raise BootError, "#{name}: #{value} is not a valid value; it must be #{bound}"
      end
      private_class_method :refuse

      # Integer() alone would read 2.5 as 2, and a Time as its seconds.
      def integer(value)
        number = Integer(value, exception: false) unless value.nil? || value.is_a?(Time)
        number unless value.is_a?(Numeric) && value != number
      end
      private_class_method :integer

      def numeric(value)
        return value if value.is_a?(Numeric) && value.real?

        Integer(value, exception: false) || Float(value, exception: false)
      end
      private_class_method :numeric
    end
  end
end
