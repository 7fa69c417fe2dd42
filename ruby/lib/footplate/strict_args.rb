# frozen_string_literal: true

module Footplate
  ##
  # Finds arguments that would come out of JSON as something else: symbols, times, models, hashes with
  # symbol keys, and subclasses of the plain types. A job would silently get a different value than its
  # caller passed.
  module StrictArgs
    LEAVES = [String, Integer, Float, NilClass, TrueClass, FalseClass].to_h { |type| [type, true] }
                                                                      .compare_by_identity.freeze
    NOTHING = Object.new.freeze
    private_constant :LEAVES, :NOTHING

    class << self
      # Applies the mode to one payload.
      # @param mode [:raise, :warn, false]
      # @raise [ArgumentError] in mode :raise
      def check(payload, mode, logger: nil)
        return unless mode

        found = offender(payload["args"])
        return if found.equal?(NOTHING)

        message = "Job arguments to #{payload["wrapped"] || payload["class"]} must be native JSON types, " \
                  "but #{found.inspect} is a #{found.class}. Footplate.strict_args!(false) turns this check off."
        raise ArgumentError, message if mode == :raise

        (logger || Footplate.logger).warn(message)
      end

      # Whether the arguments come out of JSON as they are.
      def native?(args)
        offender(args).equal?(NOTHING)
      end

      private

      def offender(value)
        return NOTHING if LEAVES.key?(value.class)
        return first_offender(value) if value.instance_of?(Array)
        return offender_in_hash(value) if value.instance_of?(Hash)

        value
      end

      def first_offender(values)
        values.each do |value|
          found = offender(value)
          return found unless found.equal?(NOTHING)
        end
        NOTHING
      end

      # Sidekiq accepts keys that are strings of any kind, values only of the exact types.
      def offender_in_hash(hash)
        hash.each do |key, value|
          return key unless key.is_a?(String)

          found = offender(value)
          return found unless found.equal?(NOTHING)
        end
        NOTHING
      end
    end
  end
end
