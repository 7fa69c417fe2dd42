# frozen_string_literal: true

require "shellwords"
require_relative "child"
require_relative "web_server"

module Demo
  # `bin/demo --keep`: the shop stays open, with Sidekiq's dashboard, until Ctrl-C.
  class OpenHouse
    # What a process, or a shell, needs to be part of this shop.
    NAMES = %w[GEM_HOME BUNDLE_GEMFILE REDIS_URL RAILS_ENV DEMO_DATABASE DEMO_LOG_DIR].freeze

    def self.env
      NAMES.to_h { |name| [name, ENV.fetch(name, nil)] }.compact
    end

    def initialize(target:, server:, children:, out:)
      @target = target
      @server = server
      @children = children
      @out = out
    end

    def call
      env = self.class.env
      web = Bundler.with_unbundled_env { WebServer.start(log: File.join(@target, "log/web.log"), env:) }
      @children << web
      write_env
      @out.puts(welcome(web.url))
      @out.flush
      until_interrupted { [@server, web].each(&:check!) }
    end

    private

    def write_env
      lines = self.class.env.map { |name, value| "export #{name}=#{value.shellescape}\n" }
      File.write(File.join(@target, "env"), "#{lines.join}cd #{Run::APP.shellescape}\n")
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
