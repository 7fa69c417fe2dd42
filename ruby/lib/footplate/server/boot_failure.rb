# frozen_string_literal: true

require "footplate/server/adapter_trouble"
require "footplate/server/boot_error"
require "footplate/server/redis_settings"

module Footplate
  module Server
    ##
    # What is printed when the process cannot start. Settings and flags: the sentence. The application's own
    # errors: class, message and the place in the application; the whole backtrace with -v.
    class BootFailure
      # The gem refuses it wherever the first connection is made, be it in the application, in five lines.
      PROVIDER = "REDIS_PROVIDER holds a URL; it must be the name of the variable that holds the URL, as in " \
                 "REDIS_PROVIDER=REDISTOGO_URL"

      def initialize(error, verbose: false)
        @error = error
        @verbose = verbose
      end

      def report(out = $stderr)
        out.puts lines
      end

      # @return [Array<String>]
      def lines
        return ["footplate: #{sentence}", *backtrace] if sentence

        # It may quote a URL.
        message = RedisSettings.scrub(@error.message.scrub)
        ["footplate: #{@error.class}: #{message}", *backtrace, *(hint unless @verbose)]
      end

      private

      # @return [String, nil] all there is to say of what is not about code
      def sentence
        return PROVIDER if @error.message.include?("REDIS_PROVIDER") && ENV["REDIS_PROVIDER"].to_s.include?(":")

        @error.is_a?(Error) ? @error.message : AdapterTrouble.sentence(@error)
      end

      def backtrace
        @verbose ? Array(@error.backtrace).map { |line| "  #{line}" } : []
      end

      def hint
        [*("  at #{place}" if place), "  (-v shows the whole backtrace)"]
      end

      # Of a syntax error the message tells it; the backtrace knows only who loaded the file.
      def place
        return if @error.is_a?(SyntaxError)

        lines = Array(@error.backtrace)
        lines.find { |line| line.start_with?(Dir.pwd) && !line.include?("/gems/") } || lines.first
      end
    end
  end
end
