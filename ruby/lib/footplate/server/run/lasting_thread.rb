# frozen_string_literal: true

require "forwardable"

module Footplate
  module Server
    ##
    # A thread of the server's own that outlives what jobs do to it. A job may kill every thread of its process, or
    # raise in it; whatever ends this one, another takes its place, until its work is done or the process ends.
    class LastingThread
      extend Forwardable

      # When the process ends, Ruby kills all threads; it would wait for ever for one that starts then.
      at_exit { @over = true }

      class << self
        def over?
          @over
        end
      end

      # As Thread#join, of the thread that does the work now.
      def_delegators :@thread, :join

      # @param name [String]
      # @param facade [Facade::Base] hears what is raised
      # @param work [Proc] starts again from its beginning if it is broken off
      def initialize(name, facade, &work)
        @name = name
        @facade = facade
        @work = work
      end

      # @return [LastingThread] self
      def start
        # Nobody may end the thread before it has reached the code that notices it.
        @thread = Thread.handle_interrupt(Object => :never) { Thread.new { run } }
        self
      end

      private

      def run
        Thread.current.name = @name
        Thread.current.report_on_exception = false
        Thread.handle_interrupt(Object => :immediate) { attempt }
      ensure
        start unless @done || self.class.over?
      end

      def attempt
        @work.call
        @done = true
      rescue Exception => e # rubocop:disable Lint/RescueException
        @facade.handle_exception(e, { context: "Raised in #{@name}" })
      end
    end
  end
end
