# frozen_string_literal: true

module Footplate
  module Server
    ##
    # Keeps a payload's texts from ending a log line and beginning another one: control characters are written as in a
    # Ruby string literal. The engine does the same (src/dialect/sidekiq/logline.rs).
    module LogText
      # What may end a line, or move the cursor of a terminal.
      CONTROL = /[[:cntrl:]\u2028\u2029]/
      NAMES = { "\a" => "\\a", "\b" => "\\b", "\t" => "\\t", "\n" => "\\n", "\v" => "\\v", "\f" => "\\f", "\r" => "\\r",
                "\e" => "\\e" }.freeze

      module_function

      # @param value [Object] of a payload
      # @return [Object] the same object, unless it is a string with such characters or an array that contains one
      def visible(value)
        case value
        when String then escaped(value)
        when Array then value.any? { |it| !it.equal?(visible(it)) } ? value.map { |it| visible(it) } : value
        else value
        end
      end

      # What the loggers add to each line of the job that this thread runs.
      def clean_context
        context = Thread.current[:sidekiq_context]
        context.transform_values! { |value| visible(value) } if context.is_a?(Hash)
      end

      def escaped(text)
        return text unless text.encoding == Encoding::UTF_8 && text.scrub.match?(CONTROL)

        text.scrub.gsub(CONTROL) { |character| NAMES[character] || format("\\u%04X", character.ord) }
      end
      private_class_method :escaped
    end
  end
end
