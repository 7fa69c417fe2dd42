# frozen_string_literal: true

require "footplate/native"
require "footplate/server/boot/banner"
require "footplate/server/job/controls"
require "footplate/server/job/payload_json"
require "footplate/server/run/control"
require "footplate/server/run/crew"
require "footplate/server/run/due_jobs"
require "footplate/server/run/engine_config"
require "footplate/server/run/gem_launcher"
require "footplate/server/run/signals"
require "footplate/server/run/stop"
require "footplate/server/run/work_state"

module Footplate
  module Server
    ##
    # Starts the engine and everything in Ruby around it, waits for signals, and ends it all.
    #
    # 1. the engine: connection, lease, first heartbeat
    # 2. control thread, due jobs' thread, workers
    # 3. signals, until one says stop
    # 4. Stop
    #
    # The command line has fired :startup by then, so that the capsules and middleware it adds are seen.
    class Launcher
      attr_reader :engine, :crew, :facade, :signals, :control

      def initialize(facade:, settings:)
        @facade = facade
        @settings = settings
        @controls = Controls.new
        @signals = Signals.new.trap
        @status = 0
        @quiet = false
      end

      # @return [Integer] exit status
      def run
        # As in the gem, before its configuration is frozen. An exception of the application's code ends the start.
        @processors = Processor.for_all(facade, controls: @controls, launcher: self)
        @front = GemLauncher.build(self)
        facade.launcher = @front
        facade.freeze!
        @front.run
        facade.logger.info { Banner.ready(facade) }
        watch
        @front.stop
        @ended = true
        @status
      ensure
        give_back unless @ended
      end

      # Starts everything that does work.
      def start
        @engine = Native::Engine.start(EngineConfig.new(@settings, facade).to_json, log_parts)
        # Both before the first job, which may look at them.
        title
        WorkState.attach(@engine)
        @control = Control.new(engine: @engine, facade: facade, launcher: self)
        @control.start
        DueJobs.new(engine: @engine, facade: facade).start if facade.client_middleware?
        @crew = Crew.new(engine: @engine, facade: facade, processors: @processors, controls: @controls)
        @crew.start
      end

      # Takes no new jobs. Cannot be undone.
      def quiet
        return if @quiet

        @quiet = true
        @engine.quiet
        facade.fire_event(:quiet, reverse: true)
      end

      def stop
        @status = 1 unless Stop.new(self).run
      end

      def stopping?
        @quiet
      end

      # The engine cannot go on: the process ends, with a status that says so.
      def fail_with(message)
        facade.logger.fatal { message }
        @status = 1
        Process.kill("TERM", Process.pid)
      end

      # Names the process as `ps` shows it.
      def title
        busy = "[#{@engine.busy} of #{facade.capsules.sum(&:concurrency)} busy]"
        parts = ["footplate", VERSION, facade.tag, busy, ("stopping" if @quiet)]
        $0 = parts.reject { |part| part.to_s.empty? }.join(" ")
      end

      private

      # The engine looks at these before it writes a line, and stops writing when one of them has changed.
      def log_parts
        Facade::NativeLog.parts(facade.logger) if facade.native_log
      end

      # Something has killed the main thread, and the workers will die with it: their jobs go back first.
      def give_back
        return unless @engine

        @engine.quiet
        @crew&.interrupt
        @engine.finish
        @engine.wait_ended(3)
      end

      def watch
        loop do
          case (name = @signals.wait)
          when "INT", "TERM" then return facade.logger.info { "Shutting down" }
          when "TSTP"
            facade.logger.info { "Received TSTP, no longer accepting new work" }
            @front.quiet
          when "TTIN", "INFO" then dump_threads
          else facade.logger.warn { "No #{name} signal handler registered, ignoring" }
          end
        end
      end

      def dump_threads
        Thread.list.each do |thread|
          facade.logger.warn { "Thread TID-#{(thread.object_id ^ Process.pid).to_s(36)} #{thread.name}" }
          facade.logger.warn { thread.backtrace ? thread.backtrace.join("\n") : "<no backtrace available>" }
        end
      end
    end
  end
end
