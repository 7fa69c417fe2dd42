# frozen_string_literal: true

module Footplate
  class Config
    ##
    # Lifecycle events of the server process. The application registers, the server fires.
    module Events
      # In the order of a process's life. `once`: forgotten when fired. `reverse`: last registered, first run.
      # `reraise`: an exception stops the boot instead of going to the error handlers.
      EVENTS = {
        startup: { once: true, reraise: true },
        heartbeat: {}, # the first beat, and the first after an outage
        beat: {},
        quiet: { once: true, reverse: true },
        shutdown: { once: true, reverse: true },
        exit: { once: true, reverse: true }
      }.freeze

      # @param event [Symbol] one of EVENTS
      # @raise [ArgumentError] for any other name
      def on(event, &block)
        callbacks(event) << block
      end

      # Runs what was registered for the event. An exception of one callback does not keep the others from
      # running: it goes to the error handlers, except at :startup.
      # @raise [ArgumentError] for an unknown name
      def fire_event(event)
        rules = EVENTS.fetch(event) { invalid_event(event) }
        blocks = callbacks(event).dup
        blocks.reverse! if rules[:reverse]
        callbacks(event).clear if rules[:once]
        blocks.each { |block| run_callback(event, block, reraise: rules[:reraise]) }
      end

      private

      def callbacks(event)
        invalid_event(event) unless EVENTS.key?(event)
        (@callbacks ||= EVENTS.transform_values { [] })[event]
      end

      def run_callback(event, block, reraise:)
        block.call
      rescue StandardError => e
        raise if reraise

        handle_exception(e, { context: "Exception during Footplate lifecycle event.", event: event })
      end

      def invalid_event(event)
        raise ArgumentError, "Symbols only please: #{event}" unless event.is_a?(Symbol)

        raise ArgumentError, "Invalid event name: #{event}; there are #{EVENTS.keys.join(", ")}"
      end
    end
  end
end
