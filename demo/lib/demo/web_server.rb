# frozen_string_literal: true

require "net/http"
require "socket"
require_relative "child"

module Demo
  # puma with the shop and Sidekiq::Web, on loopback only.
  class WebServer
    APP = File.expand_path("../..", __dir__)
    ATTEMPTS = 3

    attr_reader :url

    # Between finding a free port and puma's bind somebody else may take it; then another one will do.
    def self.start(log:, env: {})
      attempts = 0
      begin
        new(log:, env:)
      rescue Child::Died => e
        attempts += 1
        raise if attempts >= ATTEMPTS || !e.message.include?("Address already in use")

        retry
      end
    end

    # 3000 if it is free, as Rails' own server; else whatever the kernel gives.
    def self.free_port(preferred = 3000)
      [preferred, 0].each do |port|
        return TCPServer.open("127.0.0.1", port) { |server| server.addr[1] }
      rescue Errno::EADDRINUSE, Errno::EACCES
        next
      end
    end

    def initialize(log:, env: {})
      port = self.class.free_port
      @url = "http://127.0.0.1:#{port}"
      command = %W[bundle exec puma --bind tcp://127.0.0.1:#{port} --threads 1:4 --environment production config.ru]
      @child = Child.new("puma", command, log:, env:, chdir: APP)
      @child.wait_until("answer at #{@url}", seconds: 60) { answers? }
    rescue StandardError, Interrupt
      stop
      raise
    end

    def check!
      @child.check!
    end

    def stop
      @child&.stop(seconds: 10)
    end

    private

    def answers?
      Net::HTTP.get_response(URI("#{@url}/")).is_a?(Net::HTTPSuccess)
    rescue SystemCallError, IOError, Net::ReadTimeout
      false
    end
  end
end
