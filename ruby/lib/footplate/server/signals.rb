# frozen_string_literal: true

module Footplate
  module Server
    ##
    # Signals, by way of a pipe: a trap only writes the name, the main thread reads it. Traps that the
    # application set before are called first, as Sidekiq does.
    class Signals
      NAMES = %w[INT TERM TSTP TTIN INFO].freeze

      def initialize
        @reader, @writer = IO.pipe
      end

      # @return [Signals] self
      def trap
        (NAMES & Signal.list.keys).each do |name|
          previous = Signal.trap(name) do
            previous.call if previous.respond_to?(:call)
            @writer.write_nonblock("#{name}\n", exception: false)
          end
        end
        self
      end

      # @param seconds [Numeric, nil] how long to wait; nil for ever
      # @return [String, nil] the next signal's name
      def wait(seconds = nil)
        @reader.gets&.chomp if @reader.wait_readable(seconds)
      end
    end
  end
end
