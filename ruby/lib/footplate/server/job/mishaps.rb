# frozen_string_literal: true

module Footplate
  module Server
    ##
    # What else goes wrong while a job's failure is dealt with. The error handlers are told, and that is all.
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
