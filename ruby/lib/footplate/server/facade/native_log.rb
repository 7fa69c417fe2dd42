# frozen_string_literal: true

module Footplate
  module Server
    module Facade
      ##
      # Whether the engine may write log lines by itself, to which file descriptor and in which format. It may where
      # nobody would notice: with the gem's own logger class, unchanged, one of its formatters, and an IO that does not
      # buffer. The engine keeps checking that this is still so (src/vm/logger.rs).
      module NativeLog
        # Names of the gem's formatters and of the engine's.
        FORMATS = { "Pretty" => "pretty", "Plain" => "plain", "WithoutTimestamp" => "without_timestamp",
                    "JSON" => "json" }.freeze

        module_function

        # @param logger [Logger] what the application uses
        # @return [Hash{Symbol => Object}, nil] :fd, :format, :colour
        def of_gem(logger)
          return unless logger.instance_of?(::Sidekiq::Logger) && logger.singleton_methods.empty?
          return if changed?(logger.formatter)

          format = format_of(logger.formatter)
          fd = descriptor(logger)
          { fd:, format:, colour: colour?(format) } if format && fd
        end

        # The log of an application without the gem that brought no logger.
        # @param logger [DefaultLogger]
        def of_own(logger)
          fd = descriptor(logger) if logger.own_formatter?
          { fd:, format: ENV["DYNO"] ? "without_timestamp" : "pretty", colour: DefaultLogger.colour? } if fd
        end

        # What must stay the same for the engine to go on writing: logger, formatter, device, IO.
        # @return [Array<Object>]
        def parts(logger)
          device = logger.instance_variable_get(:@logdev)
          [logger, logger.formatter, device, device.dev]
        end

        # Whether somebody has changed how a line looks or where it goes.
        def changed?(formatter)
          parts = [::Sidekiq::Logger, ::Sidekiq::Logger::Formatters::Base, formatter.class]
          [::Logger, ::Logger::LogDevice].any? { |it| it.ancestors.first != it } ||
            parts.any? { |it| ReplacedParts.changed?(it) }
        end

        def format_of(formatter)
          FORMATS.find do |name, _|
            ::Sidekiq::Logger::Formatters.const_defined?(name, false) &&
              formatter.instance_of?(::Sidekiq::Logger::Formatters.const_get(name, false)) &&
              formatter.singleton_methods.empty?
          end&.last
        end

        # A log in a named file is left to Ruby: it can be rotated and reopened there.
        def descriptor(logger)
          device = logger.instance_variable_get(:@logdev)
          return unless device.instance_of?(::Logger::LogDevice) && device.filename.nil? &&
                        device.singleton_methods.empty?

          io = device.dev
          io.fileno if io.instance_of?(IO) && io.singleton_methods.empty? && !io.closed? && io.sync
        end

        # Sidekiq 8 colours the level wherever the log goes.
        def colour?(format)
          ::Sidekiq::Logger::Formatters::Base.const_defined?(:COLORS) && %w[pretty without_timestamp].include?(format)
        end
      end
    end
  end
end
