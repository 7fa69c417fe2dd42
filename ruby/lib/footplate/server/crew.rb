# frozen_string_literal: true

require "footplate/server/processor"

module Footplate
  module Server
    ##
    # The worker threads of all capsules. Each lives in the engine's loop; one that is killed by its job is
    # replaced, as Sidekiq's Manager replaces a processor.
    class Crew
      # @param engine [Footplate::Native::Engine]
      # @param host [Host::Base]
      # @param processors [Array<Processor>] one per thread, in the order of `host.capsules`
      def initialize(engine:, host:, processors:, controls:)
        @engine = engine
        @host = host
        @processors = processors
        @controls = controls
        @threads = {}
        @lock = Mutex.new
      end

      def start
        slot = -1
        @host.capsules.each_with_index do |capsule, index|
          capsule.concurrency.times { hire(capsule, index, slot += 1) }
        end
      end

      # Raises Sidekiq::Shutdown in every thread that still runs a job.
      def interrupt
        threads.each { |thread| thread.raise(@controls.shutdown) if thread.alive? }
      end

      # @return [Array<Thread>]
      def threads
        @lock.synchronize { @threads.values }
      end

      private

      # The thread starts with everything masked: nobody may interrupt it before it is where interruptions are
      # dealt with, nor after, when it may have to be replaced.
      def hire(capsule, index, slot)
        thread = Thread.handle_interrupt(Object => :never) { Thread.new { work(capsule, index, slot) } }
        @lock.synchronize { @threads[slot] = thread }
      end

      # In a forked child the engine is always stopping. A job that ends there ends the child, and with what it
      # raised, as it does in any other thread: an exit's status and a signal are seen by who waits for the child.
      def work(capsule, index, slot)
        introduce(capsule)
        Thread.handle_interrupt(Object => :immediate) { serve(index, slot) }
      rescue Exception => e # rubocop:disable Lint/RescueException
        raise if @engine.forked?

        @host.handle_exception(e, { context: "Raised while a worker thread ended" })
      ensure
        hire(capsule, index, slot) unless @engine.stopping?
      end

      def serve(index, slot)
        @engine.work(index, slot, tid, @processors[slot])
      rescue @controls.shutdown
        nil
      rescue Exception => e # rubocop:disable Lint/RescueException
        raise if @engine.forked?

        @host.handle_exception(e, { context: "Raised in a worker thread outside of any job" })
      end

      def introduce(capsule)
        thread = Thread.current
        thread.name = name_for(capsule)
        thread.priority = @host.thread_priority
        thread.report_on_exception = false
        thread[:sidekiq_capsule] = capsule.gem_capsule if capsule.gem_capsule
      end

      # As in the loaded generation: there are monitoring tools that look for it.
      def name_for(capsule)
        version = Gem::Version.new(@host.generation || "8")
        return "processor" if version < Gem::Version.new("7")

        "#{"sidekiq." if version >= Gem::Version.new("7.1")}#{capsule.name}/processor"
      end

      # As Sidekiq names threads in logs and in the busy table.
      def tid
        Thread.current["sidekiq_tid"] ||= (Thread.current.object_id ^ Process.pid).to_s(36)
      end
    end
  end
end
