# frozen_string_literal: true

require "footplate/server/boot_error"

module Footplate
  module Server
    ##
    # What is printed when the process cannot start. Settings and flags: the sentence. The application's own
    # errors: class, message and the place in the application; the whole backtrace with -v.
    class BootFailure
      def initialize(error, verbose: false)
        @error = error
        @verbose = verbose
      end

      def report(out = $stderr)
        out.puts lines
      end

      # @return [Array<String>]
      def lines
        return ["footplate: #{@error.message}", *backtrace] if @error.is_a?(Error)

        ["footplate: #{@error.class}: #{@error.message}", *backtrace, *(hint unless @verbose)]
      end

      private

      def backtrace
        @verbose ? Array(@error.backtrace).map { |line| "  #{line}" } : []
      end

      def hint
        place = Array(@error.backtrace).find { |line| line.start_with?(Dir.pwd) && !line.include?("/gems/") }
        ["  at #{place || Array(@error.backtrace).first}", "  (-v shows the whole backtrace)"]
      end
    end
  end
end
