# frozen_string_literal: true

require "socket"
require "tmpdir"
require "fileutils"
require_relative "child"

module Demo
  # A redis-server of our own on a private unix socket: no port to be taken, nobody else can reach it. The socket is in
  # the temporary directory because a socket's path may not be longer than 107 bytes, which a checkout's can be.
  class RedisServer
    def self.installed?(program)
      ENV.fetch("PATH", "").split(File::PATH_SEPARATOR).any? { |dir| File.executable?(File.expand_path(program, dir)) }
    end

    def initialize(log:)
      @dir = Dir.mktmpdir("footplate-demo-")
      @socket = File.join(@dir, "redis.sock")
      @child = Child.new("redis-server", command, log:, chdir: @dir)
      @child.wait_until("answer from redis-server", seconds: 15) { ping }
    rescue StandardError, Interrupt
      stop
      raise
    end

    def url
      "unix://#{@socket}"
    end

    def stop
      @child&.stop(seconds: 10)
      FileUtils.rm_rf(@dir)
    end

    private

    def command
      program = [ENV.fetch("FOOTPLATE_TEST_REDIS_SERVER", nil), "redis-server", "valkey-server"].compact.find do |name|
        RedisServer.installed?(name)
      end
      raise Child::Died, "No redis-server on this machine: bin/setup installs it, or set REDIS_URL." unless program

      [program, "--port", "0", "--unixsocket", @socket, "--unixsocketperm", "700", "--save", "", "--appendonly", "no",
       "--dir", @dir]
    end

    def ping
      UNIXSocket.open(@socket) do |socket|
        socket.write("PING\r\n")
        socket.gets.to_s.start_with?("+PONG")
      end
    rescue SystemCallError
      false
    end
  end
end
