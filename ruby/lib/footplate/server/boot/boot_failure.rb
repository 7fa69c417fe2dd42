# frozen_string_literal: true

require "footplate/server/boot/adapter_trouble"
require "footplate/server/boot/boot_error"
require "footplate/server/text"
require "footplate/server/text/secrets"

module Footplate
  module Server
    ##
    # What is printed when the process cannot start. Settings and flags: the sentence. The application's own
    # errors: class, message and the place in the application; the whole backtrace with -v.
    class BootFailure
      # The gem refuses it in five lines, wherever the first connection is made, which may be in the application.
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
        said = sentence ? [sentence] : ["#{Text.readable(@error.class)}: #{message}", *(hint unless @verbose)]
        said.insert(1, *backtrace)
        # They may quote a URL.
        said.map { |line| Secrets.hide(line) }.tap { |all| all[0] = "footplate: #{all[0]}" }
      end

      private

      # @return [String, nil] all there is to say of what is not about code
      def sentence
        return PROVIDER if message.include?("REDIS_PROVIDER") && ENV["REDIS_PROVIDER"].to_s.include?(":")

        @error.is_a?(Error) ? message : AdapterTrouble.sentence(@error)
      end

      # The message of an application's own error class may be anything, or raise.
      def message
        @message ||= Text.readable(@error.message)
      rescue StandardError => e
        @message = "(its message cannot be read: #{e.class})"
      end

      def backtrace
        @verbose ? lines_of_backtrace.map { |line| "  #{line}" } : []
      end

      def lines_of_backtrace
        Array(@error.backtrace).map { |line| Text.readable(line) }
      end

      def hint
        [*("  at #{place}" if place), "  (-v shows the whole backtrace)"]
      end

      # The message of a syntax error says where it is; the backtrace shows only who loaded the file.
      def place
        return if @error.is_a?(SyntaxError)

        lines = lines_of_backtrace
        here = Text.current_folder
        here &&= Text.readable(here)
        lines.find { |line| here && line.start_with?(here) && !line.include?("/gems/") } || lines.first
      end
    end
  end
end
