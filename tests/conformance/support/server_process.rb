# frozen_string_literal: true

require_relative "../../support/child_process"

module Conformance
  ##
  # A server process, and how long it took to end.
  class ServerProcess < ChildProcess
    # For everything a slow machine may be late with; nothing that is tested takes this long.
    PATIENCE = 10

    attr_reader :stop_seconds

    # Sends a signal, or none, and waits for the end.
    # @return [Integer, nil] exit status, nil when a signal ended it
    def stop(name = :TERM)
      from = now
      signal(name) if name
      wait(within: PATIENCE + 15)
      @stop_seconds = now - from
      status.exitstatus
    end
  end
end
