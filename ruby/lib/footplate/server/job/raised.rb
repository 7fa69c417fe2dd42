# frozen_string_literal: true

require "json"
require "footplate/server/job/foreign"

module Footplate
  module Server
    ##
    # What an exception says about itself, as plain text for the job's record. Each question may run code of the
    # application, which may raise, exit, or return anything. An answer that Sidekiq could store is taken; otherwise
    # Ruby's own answer counts, and the block is told what went wrong.
    class Raised
      # Characters of a message that are kept.
      LIMIT = 10_000
      BROKEN_MESSAGE = "!!! ERROR MESSAGE THREW AN ERROR !!!"
      # More causes than any error has. A `cause` method that makes a new exception each time has no end.
      MOST_CAUSES = 1_000

      BACKTRACE = Exception.instance_method(:backtrace)
      private_constant :BACKTRACE

      # @return [Array<Exception>] the exception and what it was caused by
      def self.causes(exception)
        seen = {}.compare_by_identity
        while Foreign.a?(Exception, exception) && !seen[exception] && seen.size < MOST_CAUSES
          seen[exception] = true
          exception = cause(exception)
        end
        seen.keys
      end

      def self.cause(exception)
        exception.cause
      rescue Exception # rubocop:disable Lint/RescueException
        nil
      end

      def initialize(exception, &trouble)
        @exception = exception
        @trouble = trouble
      end

      # @return [String, nil] nil for a class without a name
      def class_name
        name = @exception.class.name
        name && String(name)
      rescue Exception => e # rubocop:disable Lint/RescueException
        @trouble.call(e)
        Foreign.name_of(Foreign.class_of(@exception))
      end

      # @return [String]
      def message
        text = @exception.message.to_s[0, LIMIT]
        Foreign.a?(String, text) ? text : BROKEN_MESSAGE
      rescue StandardError
        BROKEN_MESSAGE
      rescue Exception => e # rubocop:disable Lint/RescueException
        @trouble.call(e)
        BROKEN_MESSAGE
      end

      # @param wanted [Integer, true] how many lines, as an Array counts them
      # @param json [#dump] as the application writes it
      # @param cleaner [#call, nil] what the application makes of a backtrace
      # @return [String] JSON
      def backtrace(wanted, json, cleaner)
        lines = @exception.backtrace
        lines = cleaner.call(lines) if cleaner
        String(json.dump(part(lines, wanted)))
      rescue Exception => e # rubocop:disable Lint/RescueException
        @trouble.call(e)
        JSON.generate(part(BACKTRACE.bind_call(@exception).to_a, wanted))
      end

      private

      def part(lines, wanted)
        lines = lines[0...wanted] unless wanted == true
        return lines unless Foreign.a?(Array, lines)

        lines.map { |line| Foreign.a?(String, line) ? readable(line) : line }
      end

      # File names are bytes in whatever encoding the disk has them; JSON is UTF-8.
      def readable(line)
        line.encode(Encoding::UTF_8).scrub
      rescue EncodingError
        line.dup.force_encoding(Encoding::UTF_8).scrub
      end
    end
  end
end
