# frozen_string_literal: true

require "footplate/server/job/raised"

module Footplate
  # Raised in a job's thread when the process cannot wait for it any longer. It is an Interrupt, so that a job's
  # `rescue => e` does not catch it.
  class Shutdown < Interrupt; end

  module Server
    ##
    # The exceptions that steer a job through its nesting, under the names the application's libraries know:
    # the gem's where it has them, ours otherwise.
    class Controls
      # A failure was recorded; what is on its way out only unwinds the nesting.
      class Handled < RuntimeError; end

      # Somebody else has dealt with the job: acknowledge it and say nothing.
      class Skip < Handled; end

      attr_reader :shutdown, :handled, :skip, :interrupted

      def initialize
        @shutdown = constant("Sidekiq::Shutdown") || ::Footplate::Shutdown
        @handled = constant("Sidekiq::JobRetry::Handled") || Handled
        # Before 7.3 a stored retry was signalled by Skip itself, and nothing else used it.
        @interrupted = constant("Sidekiq::Job::Interrupted")
        @skip = @interrupted ? constant("Sidekiq::JobRetry::Skip") : Skip
      end

      # Called before Shutdown is raised in jobs. A Shutdown that a job raised by itself earlier is a failure like any
      # other.
      def interrupting!
        @interrupting = true
      end

      # Whether the job ended because the process does: by the exception itself or by one that caused it.
      def shutdown?(exception)
        return false unless @interrupting

        Foreign.a?(@shutdown, exception) ||
          Raised.causes(exception).any? { |it| Foreign.class_of(it) == @shutdown }
      end

      private

      def constant(name)
        Object.const_get(name) if defined?(::Sidekiq) && Object.const_defined?(name)
      end
    end
  end
end
