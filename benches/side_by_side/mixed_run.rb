# frozen_string_literal: true

module SideBySide
  ##
  # The case study's kinds, each in a queue of its own: when all are done, and when the no-ops are.
  class MixedRun < Run
    private

    def fill
      fill_slice(0...@jobs)
    end

    # No queue is the last to be empty, so the job that ends the run comes after all of them.
    def go
      super
      @worker.wait(ENDS_WITHIN, "empty queues") { @load.queue_names.sum { @redis.call("LLEN", "queue:#{_1}") }.zero? }
      @redis.push([Payloads.plain("LastJob", "", "q0")], "queue:q0")
    end

    def special(finish)
      { all_done: finish[:last] - @started, noops_done: finish[:waits].max - @started }
    end
  end
end
