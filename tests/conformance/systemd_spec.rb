# frozen_string_literal: true

require "socket"
require_relative "support/conformance"

# What a service manager and a container see.
Conformance.describe "systemd" do
  app "class Hold; include JobModule; def perform(name) = hold(name); end"

  scenario do
    @socket = Socket.new(:UNIX, :DGRAM)
    @socket.bind(Addrinfo.unix(path("notify")))
    push("Hold", "it")
    start(env: { "NOTIFY_SOCKET" => path("notify"), "WATCHDOG_USEC" => "1000000" })
    await_effects(1, "holds")
    @messages = [@socket.recv(100)]
    eventually("READY") { @messages.include?("READY=1") || ((@messages << @socket.recv(100)) && false) }
    eventually("WATCHDOG") { @messages.include?("WATCHDOG=1") || ((@messages << @socket.recv(100)) && false) }
    server.signal(:TERM)
    eventually("STOPPING") { @messages.include?("STOPPING=1") || ((@messages << @socket.recv(100)) && false) }
    release("it")
    @code = server.stop(nil)
  end

  it "is told of readiness, life and the end" do
    expect(@messages.uniq).to eq(%w[READY=1 WATCHDOG=1 STOPPING=1])
    expect(@code).to eq(0)
  end
end
