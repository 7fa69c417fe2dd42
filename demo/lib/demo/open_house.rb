# frozen_string_literal: true

require "shellwords"
require_relative "child"
require_relative "shop"
require_relative "web_server"

module Demo
  # `bin/demo --keep`: the shop stays open, with Sidekiq's dashboard, until Ctrl-C.
  class OpenHouse
    def initialize(target:, server:, children:, out:)
      @target = target
      @server = server
      @children = children
      @out = out
    end

    def call
      web = Shop.spawn { |env| WebServer.start(log: File.join(@target, "log/web.log"), env:) }
      @children << web
      write_env
      @out.puts(welcome(web.url))
      @out.flush
      until_interrupted do
        web.check!
        watch_server
      end
    end

    private

    def write_env
      lines = Shop.env.map { |name, value| "export #{name}=#{value.shellescape}\n" }
      File.write(File.join(@target, "env"), "#{lines.join}cd #{Shop::APP.shellescape}\n")
    end

    def welcome(url)
      env = File.join(@target, "env")
      <<~TEXT

        The shop stays open. Ctrl-C closes it.
          Dashboard      #{url}/sidekiq
          A new order    curl -X POST #{url}/orders
          The shop       (. #{env} && bin/rails console)
                         e.g. HoldJob.perform_async("me") is busy for two minutes
          Server log     tail -f #{File.join(@target, "log/server.log")}
          Quiet, stop    kill -TSTP #{@server.pid}; kill -TERM #{@server.pid}
      TEXT
    end

    # Somebody may stop the server, from the dashboard for one: that is no accident, and the dashboard stays.
    def watch_server
      return if @gone || @server.alive?

      @server.check! unless @server.status.success?
      @gone = true
      @out.puts("", "The server was stopped (#{@server.outcome}). The dashboard stays open until Ctrl-C.")
    end

    def until_interrupted
      loop do
        yield
        sleep 0.5
      end
    rescue Interrupt
      @out.puts("", "Closing the shop.")
    end
  end
end
