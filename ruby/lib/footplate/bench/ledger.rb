# frozen_string_literal: true

require "json"
require_relative "clock"

module Footplate
  module Bench
    ##
    # What the jobs of one run leave behind, in the memory of the worker that runs them: how often each ran, when the
    # last did, and what the process cost. Files in BENCH_DIR tell the benchmark: `ready`, once the worker is there with
    # all its threads, `end`, as soon as every job has run, and `ledger`, written as the process exits, so that a job
    # that ran again after the end is seen.
    #
    # It must cost next to nothing, since a no-op costs next to nothing: one addition per job. The clock is read by the
    # last job (see LastJob), which waits for those that other threads still run.
    module Ledger
      extend Clock
      PATIENCE = 10

      class << self
        public :now

        # How often each job ran, by its number. Jobs add to it themselves, and to the waits: seconds that a job waited,
        # or the moment that it ran.
        attr_reader :runs, :waits

        def open
          @runs = Array.new(Integer(ENV.fetch("BENCH_JOBS")), 0)
          @waits = []
          @gate = Thread::Queue.new
          worker = Process.pid
          at_exit { write("ledger", delivery) if Process.pid == worker }
          Thread.new { leash(worker) } if ENV.key?("BENCH_LEASH")
        end

        def ready
          threads = Integer(ENV.fetch("BENCH_THREADS"))
          held = Integer(ENV.fetch("BENCH_HOLDING", 0))
          sleep 0.001 until Thread.list.size >= threads && @gate.num_waiting >= held
          switches = context_switches
          write("ready", { **costs, switches: switches })
        end

        def hold
          @gate.pop
        end

        # @param count [Integer] how many must have waited by then
        def tell_waits(count)
          patiently { waits.size < count }
          write("waits", { waits: waits })
        end

        def last
          patiently { @runs.include?(0) }
          write("end", { last: now, waits: @waits, **costs, switches: context_switches, **memory })
          @gate.close
        end

        # So far: seconds of processor time and of collecting garbage, objects allocated, collections.
        def costs
          times = Process.times
          { worker_cpu: times.utime + times.stime, objects: GC.stat(:total_allocated_objects),
            collections: GC.count, collecting: GC.stat(:time) / 1e3 }
        end

        # Since `before`, which costs returned.
        def per_job(before, count)
          costs.to_h { |cost, value| [cost, (value - before[cost]).fdiv(count)] }
        end

        # In KiB: now, and at the most.
        def memory
          status = File.read("/proc/self/status")
          { resident: status[/^VmRSS:\s+(\d+)/, 1].to_i, peak: status[/^VmHWM:\s+(\d+)/, 1].to_i }
        end

        # Whoever waits for the file finds all of it.
        def write(name, content)
          path = File.join(ENV.fetch("BENCH_DIR"), name)
          File.write("#{path}.new", JSON.generate(content))
          File.rename("#{path}.new", path)
        end

        private

        def patiently
          deadline = now + PATIENCE
          sleep 0.000_5 while yield && now < deadline
        end

        def delivery
          { missing: @runs.count(0), doubled: @runs.count { |count| count > 1 } }
        end

        # Of all threads that live now: voluntary ones and others.
        def context_switches
          Dir["/proc/self/task/*/status"].sum do |path|
            File.read(path).scan(/ctxt_switches:\s+(\d+)/).flatten.sum(&:to_i)
          rescue Errno::ENOENT, Errno::ESRCH # the thread has ended
            0
          end
        end

        # The benchmark holds the other end of standard input: a worker must not outlive it, whatever Redis does.
        def leash(worker)
          $stdin.read
          Process.kill(:TERM, worker)
          sleep PATIENCE
          Process.kill(:KILL, worker)
        end
      end
    end
  end
end
