# frozen_string_literal: true

require_relative "support/chaos"

# Keys that hold something else than jobs need, because an application uses their names, or by accident.
RSpec.describe "a key of a wrong type" do
  include Chaos

  it "stops no queue, and what could not be written because of it is written once it is mended" do
    %w[paused footplate:trials dead].each { |key| redis.call("SET", key, "1") }
    server = self.server(arguments: %w[-c 2 -q default -q low]).start
    redis.push("default", [payload("MarkingJob", 0), payload("GateJob", 1, "gate", "fails", retry: 0)])
    redis.push("low", [payload("MarkingJob", 2)])
    open_gate("gate")
    await_done(3)
    eventually("its complaint") { server.output.include?("cannot settle a job of queue default") }
    %w[paused dead].each { |key| expect(server.output.scan("the key #{key} in Redis holds a string").size).to eq(1) }
    redis.call("DEL", "dead")
    eventually("the burial", within: 20) { redis.call("ZCARD", "dead") == 1 }
    await_settled(within: 5)
    expect(server.stop.exitstatus).to eq(0)
    expect([runs, processed, failed]).to eq([{ 0 => 1, 1 => 1, 2 => 1 }, 3, 1])
  end
end
