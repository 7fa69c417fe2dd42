# frozen_string_literal: true

require "json"
require_relative "ledger"
require_relative "program"

module Footplate
  module Bench
    ##
    # The limit: what one Ruby process does with the payloads of a load in its memory, without Redis, and without
    # threads unless they are what the load is about.
    module BareLoop
      # The one for no-ops where nothing but this library is loaded.
      NOOPS = File.join(__dir__, "noop_loop.rb")

      module_function

      # From the process that measures.
      # @param program [String] calls run
      # @return [Hash{Symbol => Object}] :jobs_per_second, and :per_job as Ledger.costs
      # @raise [Void]
      def measure(jobs, program: NOOPS, env: {})
        took = Program.run(program, env.merge("BENCH_JOBS" => jobs.to_s))
        { jobs_per_second: jobs / took[:seconds], per_job: took[:per_job] }
      end

      # In a process of its own, with the ledger open: times the block, which runs all jobs, and prints what it took.
      def run
        # As a worker does before its first job, from Sidekiq 7.2 on and in Footplate.
        Process.respond_to?(:warmup) ? Process.warmup : GC.start
        before = Ledger.costs
        started = Ledger.now
        yield
        elapsed = Ledger.now - started
        count = Ledger.runs.size
        abort "the loop ran #{Ledger.runs.sum} of #{count} jobs" unless Ledger.runs.all?(1)
        puts JSON.generate(seconds: elapsed, per_job: Ledger.per_job(before, count))
      end

      # The loop itself, as it is where nothing stands around a job.
      def perform(payloads)
        payloads.each do |payload|
          job = JSON.parse(payload)
          instance = Object.const_get(job["class"]).new
          instance.jid = job["jid"]
          instance.perform(*job["args"])
        end
      end
    end
  end
end
