# frozen_string_literal: true

require "did_you_mean"
require "footplate/server/text"

module Footplate
  module Server
    ##
    # Says in a sentence why Active Job cannot use the queue adapter that the application named. Rails itself says only
    # which constant or file is missing.
    module AdapterTrouble
      SETTING = "config.active_job.queue_adapter"
      MISSING = /uninitialized constant ActiveJob::QueueAdapters::(\w+)Adapter\b/
      FILE = %r{/queue_adapters/(\w+)_adapter\.rb:}
      SETTER = "/active_job/queue_adapter.rb:"

      module_function

      # @param error [Exception]
      # @return [String, nil] nil when it is about something else
      def sentence(error)
        case error
        when LoadError then unloadable(error)
        when NameError then unknown(error)
        when ArgumentError then nonsense(error)
        end
      end

      def unknown(error)
        named = Text.readable(error.message)[MISSING, 1] or return
        name = snake(named)
        meant = DidYouMean::SpellChecker.new(dictionary: names - [name]).correct(name).first || "footplate"
        "Active Job knows no adapter :#{name} (#{SETTING}); did you mean :#{meant}?"
      end
      private_class_method :unknown

      # The adapter's file begins by requiring its gem.
      def unloadable(error)
        name = Array(error.backtrace).first(10).join("\n").then { |it| Text.readable(it)[FILE, 1] } or return
        missing = Text.readable(error.message).lines.first&.chomp
        "Active Job's adapter :#{name} (#{SETTING}) needs a gem that is not there: #{missing}"
      end
      private_class_method :unloadable

      # Rails raises an ArgumentError without a message.
      def nonsense(error)
        return unless Text.readable(Array(error.backtrace).first).include?(SETTER)

        "#{SETTING} is neither a name nor an adapter; write #{SETTING} = :footplate"
      end
      private_class_method :nonsense

      def names
        adapters = ::ActiveJob::QueueAdapters.constants.grep(/\w+Adapter\z/)
        adapters.map { |constant| snake(constant.to_s.delete_suffix("Adapter")) } - %w[abstract]
      end
      private_class_method :names

      def snake(name)
        name.gsub(/(?<=[a-z\d])(?=[A-Z])/, "_").downcase
      end
      private_class_method :snake
    end
  end
end
