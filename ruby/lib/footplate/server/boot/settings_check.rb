# frozen_string_literal: true

require "footplate/server/boot/boot_error"
require "footplate/server/boot/known_keys"
require "footplate/server/boot/numbers"
require "footplate/server/boot/queue_list"

module Footplate
  module Server
    ##
    # Checks the values of settings: what makes no sense is refused, what is probably meant differently gets a warning,
    # and a number that was written as a string becomes a number.
    class SettingsCheck
      # @param warnings [Array<String>] where lines for the operator are added
      def initialize(warnings)
        @warnings = warnings
      end

      # @param options [Hash{Symbol => Object}] changed in place
      # @raise [BootError]
      def numbers(options)
        given = options.compact
        options[:concurrency] &&= Numbers.threads(:concurrency, options[:concurrency])
        given.slice(*KnownKeys::COUNTS).each do |key, value|
          options[key] = Numbers.whole(key, value, least: 0, most: KnownKeys::MOST.fetch(key, Numbers::MOST))
        end
        given.slice(*KnownKeys::SECONDS).each { |key, value| options[key] = Numbers.seconds(key, value) }
      end

      # @param capsules [Hash, Object] as the files say it, changed in place
      # @raise [BootError]
      def capsules(capsules)
        return if capsules.nil?

        raise BootError, "capsules must be names with settings, not #{capsules.class}" unless capsules.is_a?(Hash)

        capsules.each { |name, settings| capsule(name, settings) }
      end

      # @param origin [String] where the list stands
      # @raise [BootError]
      def queues(list, origin)
        QueueList.parse(list, origin)
        @warnings.concat(QueueList.doubts(list, origin, "each queue is an entry of its own in the list"))
      end

      private

      def capsule(name, settings)
        unless settings.is_a?(Hash) && settings[:concurrency] && settings[:queues]
          raise BootError, "capsules: #{name} needs both concurrency and queues"
        end

        settings[:concurrency] = Numbers.threads("capsules: #{name}: concurrency", settings[:concurrency])
        queues(settings[:queues], "capsules: #{name}: queues")
      end
    end
  end
end
