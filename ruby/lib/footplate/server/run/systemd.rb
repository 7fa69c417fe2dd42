# frozen_string_literal: true

require "footplate/server/run/lasting_thread"
require "footplate/server/run/sd_notify"

module Footplate
  module Server
    ##
    # Tells systemd (Type=notify) that this process is ready or stopping, and that it is alive. The gem wires
    # this up in its executable only, so a different executable must do it again.
    module Systemd
      # The shortest watchdog interval that is accepted, in microseconds; the gem has the same limit.
      FASTEST = 1_000_000

      module_function

      # Call before the application is loaded: a slow start must not look dead to the watchdog.
      # @param facade [Facade::Base]
      # @return [LastingThread, nil] the watchdog's
      def attach(facade)
        return if ENV["NOTIFY_SOCKET"].to_s.empty?

        facade.logger.info "Enabling systemd notification integration"
        notifier = notifier_for(facade)
        facade.on(:startup) { notifier.ready }
        facade.on(:shutdown) { notifier.stopping }
        start_watchdog(facade, notifier) if notifier.watchdog?
      end

      # The gem's own where there is one (old versions lack it), so that what patches it works here, too.
      def notifier_for(facade)
        return SdNotify unless facade.gem?

        require "sidekiq/sd_notify"
        ::Sidekiq::SdNotify
      rescue LoadError
        SdNotify
      end

      # Pings at half the interval, as systemd recommends. From a Ruby thread on purpose: the watchdog is meant to
      # notice when the VM hangs.
      def start_watchdog(facade, notifier)
        usec = Integer(ENV.fetch("WATCHDOG_USEC"))
        if usec < FASTEST
          facade.logger.error "systemd's watchdog is too fast: #{usec} µs, and 1 s is the least"
          return
        end

        pause = usec / 2_000_000.0
        facade.logger.info "Pinging systemd watchdog every #{pause.round(1)} sec"
        LastingThread.new("footplate.watchdog", facade) { loop { sleep(pause) && notifier.watchdog } }.start
      end
    end
  end
end
