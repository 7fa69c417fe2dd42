# frozen_string_literal: true

module Footplate
  module Server
    ##
    # Receives signals through a pipe: a trap only writes the signal's name, and the main thread reads it. Traps that
    # the application set earlier are called first, as in Sidekiq. A child that a job forked inherits the traps and the
    # pipe, but in it a signal does what it does to any process.
    class Signals
      NAMES = %w[INT TERM TSTP TTIN INFO].freeze

      def initialize
        @reader, @writer = IO.pipe
        @pid = Process.pid
      end

      # @return [Signals] self
      def trap
        (NAMES & Signal.list.keys).each do |name|
          previous = Signal.trap(name) { Process.pid == @pid ? receive(name, previous) : pass_on(name) }
        end
        self
      end

      # @param seconds [Numeric, nil] how long to wait; nil for ever
      # @return [String, nil] the next signal's name
      def wait(seconds = nil)
        @reader.gets&.chomp if @reader.wait_readable(seconds)
      end

      private

      # Without the rescue, an `exit` in the application's own trap would kill the workers in the middle of their jobs.
      def receive(name, previous)
        previous.call if previous.respond_to?(:call)
      rescue Exception => e # rubocop:disable Lint/RescueException
        warn "The application's handler of SIG#{name} raised #{e.class}: #{e.message}; shutting down goes on"
      ensure
        @writer.write_nonblock("#{name}\n", exception: false)
      end

      def pass_on(name)
        Signal.trap(name, "DEFAULT")
        Process.kill(name, Process.pid)
      end
    end
  end
end
