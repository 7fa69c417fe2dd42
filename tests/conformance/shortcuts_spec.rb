# frozen_string_literal: true

require_relative "support/conformance"

# The ways by which jobs may arrive besides the plain one are closed by a setting, for finding faults.
Conformance.describe "a process whose shortcuts are closed" do
  app <<~'RUBY', files: { "config/footplate.yml" => "shortcuts: []\n" }
    class Hold
      include JobModule
      def perform(name, _padding) = hold(name)
    end
  RUBY

  scenario do
    start("-c", "2")
    eventually("its entry") { identity }
    push("Hold", "one", "small")
    push("Hold", "two", "x" * 100_000)
    await_effects(2, "holds")
    @fields = redis.call("KEYS", "footplate:inflight:*").flat_map { |key| redis.call("HKEYS", key) }
    @others = %w[large handoff].flat_map { |it| redis.call("KEYS", "footplate:#{it}*") }
    # Nobody waits for a hand-off either, now that nothing is left.
    %w[one two].each { |name| release(name) }
    eventually("the end of both") { in_flight.zero? }
    @waiting = redis.call("EXISTS", "footplate:handoffs")
    @code = server.stop
  end

  it "claims each job as a field of its own, with its payload" do
    expect(@fields.grep(/\A\d/)).to contain_exactly(/\A\d+:queue:default\z/, /\A\d+:queue:default\z/)
    expect(@others).to eq([])
    expect(@waiting).to eq(0)
    expect(effects("holds").map(&:first)).to contain_exactly("one", "two")
    expect(@code).to eq(0)
  end

  it "is told which there are when one is misspelt" do
    write("config/footplate.yml", "shortcuts: [parcel]\n")
    fail_to_start
    expect(server.status.exitstatus).to eq(1)
    expect(server.output).to include("unknown variant `parcel`, expected one of `parcels`, `large`, `hand_off`")
  end
end
