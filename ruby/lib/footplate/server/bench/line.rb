# frozen_string_literal: true

require "footplate/bench"
require "footplate/redis"
require "footplate/redis/driver"
require "footplate/server/boot/boot_error"

module Footplate
  module Server
    class Bench
      ##
      # The benchmark's own connection to the application's Redis, through whichever gem is there.
      class Line
        include Footplate::Bench::Readings

        # @param options [Hash{Symbol => Object}] as the gems take them
        # @param place [String] for people
        def initialize(options, place)
          resolved = Redis::Options.connection(Redis::Options.resolve(options))
          @connection = Redis::Connection.wrap(Redis::Driver.factory(resolved).call)
          @place = place
        end

        # @raise [BootError] instead of whatever the gem at hand raises
        def call(*command)
          @connection.call(*command)
        rescue StandardError => e
          raise BootError, "Cannot measure on Redis at #{@place}: #{e.message.lines.first&.chomp} (#{e.class})"
        end

        # Yields the keys that begin with `prefix`, some at a time.
        def each_key(prefix)
          # A namespace may contain characters that mean something in a pattern.
          pattern = "#{prefix.gsub(/[\[\]*?\\]/) { |character| "\\#{character}" }}*"
          cursor = "0"
          loop do
            cursor, keys = call("SCAN", cursor, "MATCH", pattern, "COUNT", 2_000)
            yield keys if keys.any?
            break if cursor == "0"
          end
        end

        def remove(*keys)
          call("UNLINK", *keys)
        end
      end
    end
  end
end
