# frozen_string_literal: true

require "footplate/native"

module Footplate
  module Server
    ##
    # Prepares the process's memory for jobs, once the application is loaded and while there is still only one thread:
    #
    # 1. calls Process.warmup where Ruby has it (3.3 and newer), as Sidekiq has done since 7.2
    # 2. gives back the part of the main thread's stack that Ruby touched only while it started
    # 3. makes room in Ruby's heap for the objects of a few jobs per thread
    module Memory
      # Garbage collection reads the stack of every thread. With a thousand threads it does little else, and no thread
      # runs meanwhile, so it should not happen before each thread has run this many jobs.
      JOBS_PER_THREAD = 32

      module_function

      # @param threads [Integer] of all capsules that there are before :startup
      def prepare(threads)
        Process.warmup if Process.respond_to?(:warmup)
        Native.give_back_stack
        make_room(threads * JOBS_PER_THREAD)
      end

      # Ruby keeps the pages of its heap unless more than two thirds of all slots are free.
      def make_room(jobs)
        return if GC.disable

        begin
          # The objects that the engine makes for one job: the instance, its jid, the context of its log lines.
          Array.new(jobs) { [Object.new, "0" * 24, {}] }
        ensure
          GC.enable
        end
        GC.start(full_mark: false)
      end
    end
  end
end
