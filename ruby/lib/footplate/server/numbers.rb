# frozen_string_literal: true

require "footplate/server/boot_error"

module Footplate
  module Server
    ##
    # Reads the numbers of settings files and of the environment, where they may be texts.
    module Numbers
      module_function

      # @param name [String, Symbol] for the sentence
      # @return [Integer]
      # @raise [BootError]
      def whole(name, value, least: 1)
        number = Integer(value, exception: false)
        # 2.5 would be read as 2.
        if number.nil? || (value.is_a?(Float) && value != number)
          raise BootError, "#{name}: #{value.inspect} is not a whole number"
        end
        raise BootError, "#{name}: #{value} is not a valid value; it must be #{least} or more" if number < least

        number
      end

      # @return [Numeric] above 0
      # @raise [BootError]
      def seconds(name, value)
        number = value.is_a?(Numeric) ? value : (Integer(value, exception: false) || Float(value, exception: false))
        raise BootError, "#{name}: #{value.inspect} is not a number" unless number&.finite?
        raise BootError, "#{name}: #{value} is not a valid value; it must be above 0" unless number.positive?

        number
      end
    end
  end
end
