# frozen_string_literal: true

require "footplate/server/job/processor"
require "footplate/server/job/thread_state"

module Footplate
  module Server
    ##
    # The worker threads of all capsules. Each lives in the engine's loop. A thread is replaced, as Sidekiq's Manager
    # replaces a processor, when its job kills it, or when a failed job may have left something behind in it.
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

      # The thread starts with all interrupts masked: none may strike before it has reached the code that deals with
      # them, nor after it has left that code, when the thread may have to be replaced.
      def hire(capsule, index, slot)
        thread = unburdened do
          Thread.handle_interrupt(Object => :never) { Thread.new { live(capsule, index, slot) } }
        end
        @lock.synchronize { @threads[slot] = thread }
      end

      # From Ruby 3.2 on a thread inherits the storage of the fiber that starts it, which here belongs to the thread
      # that is being replaced.
      def unburdened(&block)
        return yield if !Fiber.method_defined?(:storage) || Fiber.current.storage.to_h.empty?

        Fiber.new(storage: @storage, &block).resume
      end

      # Runs until another thread has taken this one's place. A killed thread leaves the loop and is replaced as well.
      def live(capsule, index, slot)
        # Not `loop`, which would show up in the backtrace of every job.
        ended = false
        until ended
          work(capsule, index, slot)
          ended = @engine.stopping? || replaced?(capsule, index, slot)
        end
      ensure
        hire(capsule, index, slot) unless ended || @engine.stopping?
      end

      # In a forked child the engine is always stopping. A job that ends there ends the child with whatever it raised,
      # as in any other thread, so that whoever waits for the child sees its exit status or signal.
      def work(capsule, index, slot)
        introduce(capsule)
        Thread.handle_interrupt(Object => :immediate) { serve(index, slot) }
      rescue Exception => e # rubocop:disable Lint/RescueException
        raise if @engine.forked?

        @facade.handle_exception(e, { context: "Raised while a worker thread ended" })
      end

      # If the system allows no more threads, a thread in which a job has left something is better than none.
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
