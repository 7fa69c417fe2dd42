# frozen_string_literal: true

require "socket"

module Footplate
  module Server
    ##
    # systemd's notification protocol (sd_notify(3)): short datagrams to the socket in NOTIFY_SOCKET.
    module SdNotify
      module_function

      def ready
        notify("READY=1")
      end

      def stopping
        notify("STOPPING=1")
      end

      def watchdog
        notify("WATCHDOG=1")
      end

      # Whether systemd expects pings from this process.
      def watchdog?
        usec = Integer(ENV.fetch("WATCHDOG_USEC", nil), exception: false)
        return false unless usec&.positive?

        pid = ENV["WATCHDOG_PID"].to_s
        pid.empty? || pid == Process.pid.to_s
      end

      # @return [Boolean] whether it was sent. Never raises: a supervisor that went away is no reason to stop.
      def notify(state)
        path = ENV["NOTIFY_SOCKET"].to_s
        return false if path.empty?

        # A leading @ is systemd's way to write an abstract socket.
        Addrinfo.unix(path.sub(/\A@/, "\0"), :DGRAM).connect { |socket| socket.write(state) }
        true
      rescue SystemCallError
        false
      end
    end
  end
end
