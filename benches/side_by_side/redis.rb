# frozen_string_literal: true

require "socket"
require_relative "shared"

module SideBySide
  ##
  # A redis-server of our own on a free loopback port, without persistence, and a connection to it. Needs no gem: which
  # one the engines use must not matter here.
  class Redis
    include Bench::Clock
    include Bench::Readings

    SERVER = ENV.fetch("FOOTPLATE_TEST_REDIS_SERVER", "redis-server")

    attr_reader :url

    def initialize(dir)
      @port = Addrinfo.tcp("127.0.0.1", 0).bind { |socket| socket.local_address.ip_port }
      @url = "redis://127.0.0.1:#{@port}/0"
      # Not in our group: Ctrl-C is for us, and workers that are told to stop want to tell Redis.
      @pid = Process.spawn(SERVER, "--bind", "127.0.0.1", "--port", @port.to_s, "--save", "", "--appendonly", "no",
                           "--dir", dir, out: File.join(dir, "redis.log"), err: %i[child out], pgroup: true)
      @io = connect
    rescue Errno::ENOENT
      raise Error, "there is no #{SERVER} on this machine"
    end

    def stop
      return unless @pid

      Process.kill(:TERM, @pid)
      Process.wait(@pid)
      @pid = nil
    end

    def call(*words)
      pipeline([words]).first
    end

    # @param commands [Array<Array>] written at once
    def pipeline(commands)
      @io.write(commands.map { |words| pack(words) }.join)
      commands.map { read }
    end

    # The payloads, the first to be popped first; about 8 MB in a command at most.
    def push(payloads, list = "queue:default")
      slices = payloads.each_slice([1_000, (8_000_000 / (payloads.first&.bytesize || 1)) + 1].min)
      slices.each { |slice| call("LPUSH", list, *slice) }
    end

    # So far.
    def costs
      { redis_cpu: cpu, redis_commands: info("total_commands_processed").to_i }
    end

    def version
      call("INFO", "server")[/^(?:valkey|redis)_version:(.*)\r$/, 1]
    end

    # Another connection, for its own conversation.
    def connect
      deadline = now + 10
      begin
        TCPSocket.new("127.0.0.1", @port).tap { |io| io.setsockopt(Socket::IPPROTO_TCP, Socket::TCP_NODELAY, 1) }
      rescue Errno::ECONNREFUSED
        raise Error, "#{SERVER} did not start" if now > deadline

        sleep 0.02
        retry
      end
    end

    private

    def pack(words)
      parts = words.map do |word|
        word = word.to_s
        "$#{word.bytesize}\r\n#{word}\r\n"
      end
      "*#{words.size}\r\n#{parts.join}"
    end

    def read
      line = @io.gets("\r\n") or raise Error, "the connection to Redis ended"
      rest = line[1..].chomp
      case line[0]
      when "+" then rest
      when ":" then rest.to_i
      when "$" then rest == "-1" ? nil : @io.read(rest.to_i + 2)[0...-2]
      when "*" then Array.new(rest.to_i) { read }
      else raise Error, rest
      end
    end
  end
end
