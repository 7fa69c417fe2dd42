# frozen_string_literal: true

require "footplate/native"

module Footplate
  module Server
    ##
    # Makes the process's memory ready for jobs, when the application is loaded and there is one thread:
    #
    # 1. what Process.warmup does, where Ruby has it (3.3 on), as Sidekiq does since 7.2
    # 2. the part of the main thread's stack goes back that Ruby only touched at its start
    # 3. Ruby's heap gets room for the objects of a few jobs per thread
    module Memory
      # A collection of garbage reads the stack of every thread: with a thousand of them that is nearly all it does, and
      # meanwhile none of them runs. So it is to come no sooner than after so many jobs of each.
      JOBS_PER_THREAD = 32

      module_function

      # @param threads [Integer] of all capsules that there are before :startup
      def prepare(threads)
        Process.warmup if Process.respond_to?(:warmup)
        Native.give_back_stack
        make_room(threads * JOBS_PER_THREAD)
      end

      # Ruby keeps the pages of its heap, as long as not two thirds of all places are free.
      def make_room(jobs)
        return if GC.disable

        begin
          # What the engine makes for one: the instance, its jid, the context of its log lines.
          Array.new(jobs) { [Object.new, "0" * 24, {}] }
        ensure
          GC.enable
        end
        GC.start(full_mark: false)
      end
    end
  end
end
