# frozen_string_literal: true

module Footplate
  module Server
    ##
    # What goes wrong beside a job's own failure while that is dealt with: told to the error handlers, and no more.
    class Mishaps
      # @param facade [Facade::Base]
      def initialize(facade)
        @facade = facade
      end

      # Runs code of the application, which may raise or exit.
      # @return [Object, nil] nil when it did
      def attempt(context, **more)
        yield
      rescue Exception => e # rubocop:disable Lint/RescueException
        report(e, context, **more)
        nil
      end

      def report(error, context, **more)
        @facade.handle_exception(error, { context: context, **more })
      end
    end
  end
end
