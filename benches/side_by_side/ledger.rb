# frozen_string_literal: true

require "json"

##
# What the jobs of one run leave behind, in the memory of the worker that runs them: how often each ran, when the last
# did, and what the process cost. Three files tell the benchmark: `ready`, once the worker is there with all its
# threads, `end`, as soon as every job has run, and `ledger`, written as the process exits, so that a job that ran
# again after the end is seen.
#
# It must cost next to nothing, since a no-op costs next to nothing: one addition per job. The clock is read by the
# last job (see LastJob), which waits for those that other threads still run.
module Ledger
  PATIENCE = 10

  class << self
    # How often each job ran, by its number. Jobs add to it themselves, and to the waits: seconds that a job waited, or
    # the moment that it ran.
    attr_reader :runs, :waits

    def open
      @dir = ENV.fetch("BENCH_DIR")
      @runs = Array.new(Integer(ENV.fetch("BENCH_JOBS")), 0)
      @waits = []
      @gate = Thread::Queue.new
      worker = Process.pid
      at_exit { write("ledger", delivery) if Process.pid == worker }
    end

    def ready
      threads = Integer(ENV.fetch("BENCH_THREADS"))
      held = Integer(ENV.fetch("BENCH_HOLDING"))
      sleep 0.001 until Thread.list.size >= threads && @gate.num_waiting >= held
      switches = context_switches
      write("ready", { **costs, switches: switches })
    end

    def hold
      @gate.pop
    end

    def last
      deadline = now + PATIENCE
      sleep 0.000_5 while @runs.include?(0) && now < deadline
      write("end", { last: now, waits: @waits, **costs, switches: context_switches, **memory })
      @gate.close
    end

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end

    # So far: seconds of processor time and of collecting garbage, objects allocated, collections.
    def costs
      times = Process.times
      { worker_cpu: times.utime + times.stime, objects: GC.stat(:total_allocated_objects),
        collections: GC.count, collecting: GC.stat(:time) / 1e3 }
    end

    private

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

    # In KiB: now, and at the most.
    def memory
      status = File.read("/proc/self/status")
      { resident: status[/^VmRSS:\s+(\d+)/, 1].to_i, peak: status[/^VmHWM:\s+(\d+)/, 1].to_i }
    end

    # Whoever waits for the file finds all of it.
    def write(name, content)
      path = File.join(@dir, name)
      File.write("#{path}.new", JSON.generate(content))
      File.rename("#{path}.new", path)
    end
  end
end
