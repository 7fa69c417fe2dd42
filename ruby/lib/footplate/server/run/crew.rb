# frozen_string_literal: true

require "footplate/server/job/processor"
require "footplate/server/job/thread_state"

module Footplate
  module Server
    ##
    # The worker threads of all capsules. Each lives in the engine's loop; one that is killed by its job, or in which a
    # job failed and may have left something, is replaced, as Sidekiq's Manager replaces a processor.
    class Crew
      # @param engine [Footplate::Native::Engine]
      # @param facade [Facade::Base]
      # @param processors [Array<Processor>] one per thread, in the order of `facade.capsules`
      def initialize(engine:, facade:, processors:, controls:)
        @engine = engine
        @facade = facade
        @processors = processors
        @controls = controls
        @storage = Fiber.current.storage if Fiber.method_defined?(:storage)
        @threads = {}
        @lock = Mutex.new
      end

      def start
        slot = -1
        @facade.capsules.each_with_index do |capsule, index|
          capsule.concurrency.times { hire(capsule, index, slot += 1) }
        end
      end

      # Raises Sidekiq::Shutdown in every thread that still runs a job.
      def interrupt
        @controls.interrupting!
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
        thread = unburdened do
          Thread.handle_interrupt(Object => :never) { Thread.new { live(capsule, index, slot) } }
        end
        @lock.synchronize { @threads[slot] = thread }
      end

      # From Ruby 3.2 on a thread inherits the storage of the fiber that starts it: here that of the thread it replaces.
      def unburdened(&block)
        return yield if !Fiber.method_defined?(:storage) || Fiber.current.storage.to_h.empty?

        Fiber.new(storage: @storage, &block).resume
      end

      # Until another thread has taken its place. One that is killed leaves the loop, and is replaced all the same.
      def live(capsule, index, slot)
        # No `loop`, which would stand in the backtraces of all jobs.
        ended = false
        until ended
          work(capsule, index, slot)
          ended = @engine.stopping? || replaced?(capsule, index, slot)
        end
      ensure
        hire(capsule, index, slot) unless ended || @engine.stopping?
      end

      # In a forked child the engine is always stopping. A job that ends there ends the child, and with what it
      # raised, as it does in any other thread: an exit's status and a signal are seen by who waits for the child.
      def work(capsule, index, slot)
        introduce(capsule)
        Thread.handle_interrupt(Object => :immediate) { serve(index, slot) }
      rescue Exception => e # rubocop:disable Lint/RescueException
        raise if @engine.forked?

        @facade.handle_exception(e, { context: "Raised while a worker thread ended" })
      end

      # Where no more threads can be had, one in which a job has left something is better than none.
      def replaced?(capsule, index, slot)
        hire(capsule, index, slot)
        true
      rescue ThreadError => e
        context = "No new thread could be started for a worker; it goes on in its old one"
        @facade.handle_exception(e, { context: })
        false
      end

      def serve(index, slot)
        @engine.work(index, slot, tid, @processors[slot], ThreadState.new)
      rescue @controls.shutdown
        nil
      rescue Exception => e # rubocop:disable Lint/RescueException
        raise if @engine.forked?

        @facade.handle_exception(e, { context: "Raised in a worker thread outside of any job" })
      end

      def introduce(capsule)
        thread = Thread.current
        thread.name = name_for(capsule)
        thread.priority = @facade.thread_priority
        thread.report_on_exception = false
        thread[:sidekiq_capsule] = capsule.gem_capsule if capsule.gem_capsule
      end

      # As Sidekiq's are: there are monitoring tools that look for it.
      def name_for(capsule)
        version = @facade.sidekiq_version
        return "processor" unless version.capsule_in_thread_names?

        "#{"sidekiq." if version.sidekiq_in_thread_names?}#{capsule.name}/processor"
      end

      # As Sidekiq names threads in logs and in the busy table.
      def tid
        Thread.current["sidekiq_tid"] ||= (Thread.current.object_id ^ Process.pid).to_s(36)
      end
    end
  end
end
