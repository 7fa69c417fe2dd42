# frozen_string_literal: true

require "json"
require "footplate"
require "footplate/server/boot"
require "footplate/server/boot/banner"
require "footplate/server/boot/boot_failure"
require "footplate/server/boot/redis_probe"
require "footplate/server/text"
require "footplate/server/text/secrets"

module Footplate
  module Server
    autoload :Launcher, "footplate/server/run/launcher"
    autoload :Memory, "footplate/server/run/memory"
  end

  ##
  # The command line. Both executables, the gem's and the one that embeds Ruby, call
  # `exit Footplate::CLI.start(ARGV)`.
  #
  # 1. parse (in Rust): help, version, completions and mistakes end here
  # 2. boot: the sidekiq gem, settings, application
  # 3. look at Redis; say what starts, and what of Sidekiq is replaced
  # 4. make the launcher, which traps signals; then :startup
  # 5. run until a signal ends it
  class CLI
    # @param argv [Array<String>]
    # @return [Integer] exit status: 0 after a clean stop, 1 when it could not start
    def self.start(argv)
      # The executable that embeds Ruby brings it along.
      require "footplate/native"
      return say(code: 1, stdout: "", stderr: mismatch) unless Native::VERSION == VERSION

      kind, content = JSON.parse(Native.parse(argv), symbolize_names: true).first
      case kind
      when :exit then say(content)
      else new(content.transform_values { |value| Server::Text.from_json(value) }).public_send(kind)
      end
    end

    def self.say(content)
      $stdout.write(content[:stdout])
      $stderr.write(content[:stderr])
      content[:code]
    rescue Errno::EPIPE
      # The reader of the pipe has seen enough.
      content[:code]
    end
    private_class_method :say

    # An executable beside another gem, or an extension built before an update.
    def self.mismatch
      "footplate: its Ruby files are version #{VERSION} and its engine is #{Native::VERSION}; install both from the " \
        "same gem, or build the executable again.\n"
    end
    private_class_method :mismatch

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
        launcher = Server::Launcher.new(facade: facade, settings: @boot.settings)
        start_up
        launcher.run
      end
    end

    def check
      guarded do
        require "footplate/server/check"
        Server::Check.run(@typed)
      rescue SystemExit => e
        # Whoever asks would take a status of 0 for "it would start".
        raise Server::BootError, "The application ended this process, with status #{e.status}, while it was loaded"
      end
    end

    def bench
      guarded do
        require "footplate/server/bench"
        Server::Bench.run(@typed.except(:bench), @typed.fetch(:bench))
      end
    end

    private

    def facade
      @boot.facade
    end

    def introduce
      Server::Banner.new(@boot).lines.each { |line| facade.logger.info(line) }
      probe = Server::RedisProbe.new(facade)
      raise Server::BootError, probe.problem if probe.problem

      probe.warnings.each { |warning| facade.logger.warn(warning) }
      @boot.replaced_parts.each { |part| facade.logger.public_send(part.used ? :info : :warn, "Replaced: #{part}") }
    end

    # In the gem's order. Up to here there is only one thread; from :startup on there may be more. An exception in a
    # :startup hook ends the boot.
    def start_up
      # Other gems read it there.
      facade[:identity] = facade.identity
      Server::Memory.prepare(facade.capsules.sum(&:concurrency)) unless ENV["RUBY_DISABLE_WARMUP"] == "1"
      facade.fire_event(:startup, reraise: true)
      facade.logger.debug { "Client Middleware: #{names(facade.client_middleware)}" }
      facade.capsules.each do |capsule|
        facade.logger.debug { "Server Middleware (#{capsule.name}): #{names(facade.server_middleware(capsule.name))}" }
      end
      return unless @boot.settings.environment == "development" && $stdout.tty?

      facade.logger.info("Starting processing, hit Ctrl-C to stop")
    end

    def names(chain)
      chain.map(&:klass).join(", ")
    end

    def warn_all(lines)
      Array(lines).each { |line| warn "footplate: #{Server::Secrets.hide(line)}" }
    end

    # A process that ends by a signal before it runs has nothing to clean up.
    def guarded
      yield
    rescue Interrupt
      130
    rescue Exception => e # rubocop:disable Lint/RescueException
      raise if $DEBUG || e.is_a?(SystemExit) || e.is_a?(SignalException)

      Server::BootFailure.new(e, verbose: @typed[:verbose] || ENV["DEBUG_INVOCATION"] == "1").report
      1
    end
  end
end
