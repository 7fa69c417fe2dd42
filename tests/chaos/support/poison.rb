# frozen_string_literal: true

require "fiddle"

# A job that misbehaves in the way its second argument names, after it has marked its run.
class PoisonJob
  include JobModule

  # Sleeps in C with the GVL held: no other Ruby thread runs, and none can interrupt it.
  HOLD = Fiddle::Function.new(Fiddle.dlopen(nil)["sleep"], [Fiddle::TYPE_INT], Fiddle::TYPE_INT, need_gvl: true)

  WAYS = {
    "segfault" => -> { Process.kill(:SEGV, Process.pid) and sleep },
    "exit!" => -> { exit!(1) },
    "kill" => -> { Process.kill(:KILL, Process.pid) and sleep },
    "abort" => -> { abort("a job may say so") },
    "exit" => -> { exit(2) },
    "exception" => -> { raise Exception, "not a StandardError" }, # rubocop:disable Lint/RaiseException
    "throw" => -> { throw :nobody_catches },
    "stack" => -> { recurse },
    "thread kill" => -> { Thread.current.kill },
    "thread raise" => -> { Thread.current.raise(Interrupt, "from itself") },
    "fork" => -> { Process.wait(fork { exit!(0) }) },
    "fork and exit" => -> { Process.wait(fork { exit(0) }) },
    "fork and raise" => -> { Process.wait(fork { raise "in the child" }) },
    "fork and return" => -> { (child = fork) && Process.wait(child) },
    # What a job does that has run out of patience with a child of its own.
    "fork and terminate" => -> { Ledger.note("children", end_of(fork { sleep }).termsig) },
    # Outside of a block the child goes on in the job.
    "child raises" => -> { watch(fork || raise("in the child")) },
    "child exits" => -> { watch(fork || exit(7)) },
    "child is signalled" => -> { watch(fork || raise(SignalException, "TERM")) },
    "main thread raise" => -> { Thread.main.raise("from a job") || sleep },
    "hold" => -> { hold }
  }.freeze

  def self.hold
    Ledger.note("holding", "begins")
    HOLD.call(5)
    Ledger.note("holding", "ends")
  end

  def self.watch(child)
    status = Process.wait2(child).last
    Ledger.note("children", status.signaled? ? "signal #{status.termsig}" : "status #{status.exitstatus}")
  end

  # @return [Process::Status]
  def self.end_of(child)
    Process.kill(:TERM, child)
    Process.wait2(child).last
  end

  def self.recurse
    recurse + 1
  end

  def perform(id, way, *)
    Ledger.mark(id)
    WAYS.fetch(way).call
  end
end
