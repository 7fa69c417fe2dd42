# frozen_string_literal: true

require "footplate/server/job/raised"

module Footplate
  module Server
    module Facade
      ##
      # Tells the application's error handlers what went wrong, and survives them.
      module Errors
        # Whatever the handlers raise (even an exit), and whatever the exception raises when asked about itself, ends
        # up in the log.
        def handle_exception(exception, context = {})
          surely { tell(exception, context) }
        end

        private

        def surely
          yield
        rescue Exception => e # rubocop:disable Lint/RescueException
          last_words(e)
        end

        def last_words(error)
          raised = Raised.new(error) { |_| nil }
          logger.error { "!!! ERROR HANDLER THREW AN ERROR !!! #{raised.class_name}: #{raised.message}" }
        rescue Exception # rubocop:disable Lint/RescueException
          nil
        end
      end
    end
  end
end
