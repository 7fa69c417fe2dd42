# frozen_string_literal: true

require "json"
require "footplate"
require "footplate/server/banner"
require "footplate/server/boot"
require "footplate/server/boot_failure"
require "footplate/server/redis_probe"

module Footplate
  module Server
    autoload :Launcher, "footplate/server/launcher"
  end

  ##
  # The command line. Both executables, the gem's and the one that embeds Ruby, call
  # `exit Footplate::CLI.start(ARGV)`.
  #
  # 1. parse (in Rust): help, version, completions and mistakes end here
  # 2. boot: the sidekiq gem, settings, application
  # 3. look at Redis; say what starts, and what of Sidekiq is replaced
  # 4. :startup
  # 5. run until a signal ends it
  class CLI
    # @param argv [Array<String>]
    # @return [Integer] exit status: 0 after a clean stop, 1 when it could not start
    def self.start(argv)
      kind, content = JSON.parse(Native.parse(argv), symbolize_names: true).first
      case kind
      when :exit then say(content)
      else new(content).public_send(kind)
      end
    end

    def self.say(content)
      $stdout.write(content[:stdout])
      $stderr.write(content[:stderr])
      content[:code]
    end
    private_class_method :say

    # @param typed [Hash{Symbol => Object}]
    def initialize(typed)
      @typed = typed
    end

    def run
      guarded do
        warn_all(@typed[:warnings])
        @boot = Server::Boot.new(@typed)
        warn_all(@boot.settings.warnings - Array(@typed[:warnings]))
        @boot.load_application
        introduce
        start_up
        Server::Launcher.new(host:, settings: @boot.settings).run
      end
    end

    def check
      guarded do
        require "footplate/server/check"
        Server::Check.run(@typed)
      end
    end

    private

    def host
      @boot.host
    end

    def introduce
      Server::Banner.new(@boot).lines.each { |line| host.logger.info(line) }
      probe = Server::RedisProbe.new(host)
      raise Server::BootError, probe.problem if probe.problem

      probe.warnings.each { |warning| host.logger.warn(warning) }
      @boot.replaced_parts.each { |part| host.logger.public_send(part.used ? :info : :warn, "Replaced: #{part}") }
    end

    # In the gem's order. Threads may exist from :startup on; an exception there ends the boot.
    def start_up
      host[:identity] = host.identity
      # Not to be made by several threads at once later (sidekiq#3043).
      host.capsules.each { |capsule| host.server_middleware(capsule.name) } if host.hooks(:startup).empty?
      Process.warmup if Process.respond_to?(:warmup) && ENV["RUBY_DISABLE_WARMUP"] != "1"
      host.fire_event(:startup, reraise: true)
      host.logger.debug { "Client Middleware: #{host.client_middleware.map(&:klass).join(", ")}" }
      host.capsules.each do |capsule|
        host.logger.debug { "Server Middleware (#{capsule.name}): #{host.server_middleware(capsule.name).map(&:klass).join(", ")}" }
      end
    end

    def warn_all(lines)
      Array(lines).each { |line| warn "footplate: #{line}" }
    end

    # A process that ends by a signal before it runs has nothing to clean up.
    def guarded
      yield
    rescue Interrupt
      130
    rescue StandardError, ScriptError => e
      raise if $DEBUG

      Server::BootFailure.new(e, verbose: @typed[:verbose] || ENV["DEBUG_INVOCATION"] == "1").report
      1
    end
  end
end
