# frozen_string_literal: true

require_relative "support/server"

RSpec.describe "The way out" do
  # A tenth of a millisecond each, so that about a hundred are claimed ahead and go back in one batch.
  app = <<~'RUBY'
    class Quick
      include Footplate::Job

      def perform(id)
        ends = Process.clock_gettime(Process::CLOCK_MONOTONIC) + 0.0001
        nil until Process.clock_gettime(Process::CLOCK_MONOTONIC) > ends
        mark(id)
      end
    end
  RUBY

  3.times do |round|
    it "does not wait for a flush that has been confirmed, round #{round}" do
      Server.run(app, threads: 1) do |server|
        server.start
        server.push("Quick", (1..30_000).map { |id| [id] })
        server.await_ledger(1_000 + (round * 300))
        expect(server.stop(within: 5).exitstatus).to eq(0)
        done = server.ledger
        expect(done.uniq.size).to eq(done.size)
        expect(done.size + server.redis.call("LLEN", "queue:default")).to eq(30_000)
      end
    end
  end
end
