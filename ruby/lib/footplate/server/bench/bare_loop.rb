# frozen_string_literal: true

# The limit, as a program: Ruby runs the no-op jobs of a benchmark out of its own memory, without Redis and threads.
#
#   ruby bare_loop.rb 50000    prints jobs/s
require "json"
require_relative "payloads"

# As in worker.rb, without a job module.
class FootplateBenchNoop
  attr_accessor :jid

  @runs = []
  class << self
    attr_reader :runs
  end

  def perform(number, _float)
    FootplateBenchNoop.runs[number] = 1
  end
end

payloads = Array.new(Integer(ARGV.fetch(0))) { |number| Footplate::Server::BenchPayloads.noop(number, "bare") }
from = Process.clock_gettime(Process::CLOCK_MONOTONIC)
payloads.each do |payload|
  hash = JSON.parse(payload)
  job = Object.const_get(hash["class"]).new
  job.jid = hash["jid"]
  job.perform(*hash["args"])
end
puts payloads.size / (Process.clock_gettime(Process::CLOCK_MONOTONIC) - from)
