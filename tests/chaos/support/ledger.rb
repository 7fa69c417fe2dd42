# frozen_string_literal: true

require "socket"

##
# What jobs write their runs to: a Redis of its own, outside everything that is hurt. Loaded by the test and by the
# application; needs no gem, because the application's choice of one must not matter.
module Ledger
  class << self
    # One more run of `id`, known to the ledger when this returns.
    def mark(id)
      send_command("HINCRBY", "runs", id.to_s, "1")
    end

    # Remembers something a job wants the test to know.
    def note(list, text)
      send_command("RPUSH", list, text.to_s)
    end

    # Until the test has opened the gate, by a key of that name.
    def await(gate)
      sleep(0.005) until send_command("EXISTS", gate) == 1
    end

    private

    def send_command(*words)
      io = connection
      io.write("*#{words.size}\r\n", *words.map { |word| "$#{word.bytesize}\r\n#{word}\r\n" })
      reply = io.gets("\r\n") or raise EOFError, "the ledger is gone"
      raise reply unless reply.start_with?(":")

      Integer(reply[1..])
    end

    # A job may fork, or be interrupted in the middle of a reply: a connection belongs to one thread of one process.
    def connection
      Thread.current[:ledger] = nil unless Thread.current[:ledger_pid] == Process.pid
      Thread.current[:ledger_pid] = Process.pid
      Thread.current[:ledger] ||= UNIXSocket.new(ENV.fetch("LEDGER"))
    end
  end
end
