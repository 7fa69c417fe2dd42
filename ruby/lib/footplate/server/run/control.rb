# frozen_string_literal: true

require "footplate/server/run/lasting_thread"
require "footplate/server/text/secrets"

module Footplate
  module Server
    ##
    # The thread that says and does in Ruby what the engine asks for: log lines, lifecycle events, the process
    # title, signals left by others. The engine never waits for it.
    class Control
      SIGNALS = %w[TSTP TERM TTIN INT].freeze

      # Messages that nobody repeats, and whose handling runs no code of the application.
      URGENT = %i[signal fault].freeze

      # Thread.handle_interrupt knows Thread#kill as an Integer.
      KILL = { Integer => :never }.freeze
      ANYTHING = { Object => :immediate }.freeze
      private_constant :KILL, :ANYTHING

      # @param engine [Footplate::Native::Engine]
      # @param launcher [Launcher]
      def initialize(engine:, facade:, launcher:)
        @engine = engine
        @facade = facade
        @launcher = launcher
      end

      def start
        @thread = LastingThread.new("footplate.control", @facade) { listen }.start
      end

      # Waits until everything has been said.
      def join
        @thread&.join(1)
      end

      private

      # A message that was read is also acted on: the thread cannot be killed in between.
      def listen
        while @engine.await_control
          Thread.handle_interrupt(KILL) do
            message = @engine.control
            obey(*message) if message
          end
        end
        # The engine ends by itself only if its thread has crashed.
        @launcher.fail_with("the engine has ended; this process cannot go on") unless @engine.stopping?
      end

      def obey(kind, *details)
        return handle(kind, *details) if URGENT.include?(kind)

        Thread.handle_interrupt(ANYTHING) { handle(kind, *details) }
      end

      def handle(kind, *details)
        case kind
        when :log then @facade.logger.public_send(*details)
        when :beat then beat(*details)
        when :signal then signal(*details)
        when :malformed then malformed(*details)
        when :outage then outage(*details)
        when :fault then @launcher.fail_with(*details)
        end
      rescue Exception => e # rubocop:disable Lint/RescueException
        @facade.handle_exception(e, { context: "Footplate's control thread, #{kind}" })
      end

      def beat(first)
        @engine.renew_kept
        @launcher.title
        @facade.fire_event(:heartbeat) if first
        @facade.fire_event(:beat)
      end

      # From Sidekiq::Process#quiet!, #stop! and #dump_threads, or the dashboard.
      def signal(name)
        return Process.kill(name, Process.pid) if SIGNALS.include?(name)

        @facade.logger.warn { "Ignoring signal #{name.inspect} left for this process: it takes #{SIGNALS.join(", ")}." }
      end

      def outage(message)
        @facade.handle_exception(RedisError.new(Secrets.hide(message)), { context: "Redis cannot be worked with" })
      end

      def malformed(payload, reason)
        @facade.handle_exception(ArgumentError.new(reason), { context: "Invalid JSON for job", jobstr: payload })
      end
    end
  end
end
