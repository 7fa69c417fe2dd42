# frozen_string_literal: true

require_relative "support/server"

# With a collection, and a compaction, at every allocation: a value that nobody marks does not live long enough to
# be seen whole.
%w[native ruby].each do |path|
  RSpec.describe "The #{path} path under GC.stress" do
    app = <<~'RUBY'
      class Check
        include Footplate::Job
        sidekiq_options retry: true
        sidekiq_retry_in { |count, error| error.message == "wanted" ? 100_000 : raise }

        def perform(id, list, hash)
          GC.stress = false
          raise ArgumentError, "list" unless list == (1..10).map { |it| "item #{it} of #{id}" }
          raise ArgumentError, "hash" unless hash == (1..6).to_h { |it| ["key #{it}", [it.to_f, 2**70 + it, "\u{e9}", nil]] }
          raise ArgumentError, "jid" unless jid.size == 24
          raise "wanted" if (id % 3).zero?

          mark(id)
        ensure
          # From here to the next job: the outcome, the taking, the arguments. Collections are minor ones where
          # nothing is to be compacted, since they take a tenth of the time.
          GC.stress = ENV["COMPACT"] ? true : 1
        end
      end

      class Killed
        include Footplate::Job
        sidekiq_options retry: 3

        def perform(*) = Thread.current.kill
      end
      GC.auto_compact = true if ENV["COMPACT"]
    RUBY

    def arguments(id)
      [id, (1..10).map { |it| "item #{it} of #{id}" },
       (1..6).to_h { |it| ["key #{it}", [it.to_f, (2**70) + it, "\u{e9}", nil]] }]
    end

    { "and" => "1", "without" => nil }.each do |word, compact|
      it "gives every job what it was queued with (#{word} compaction)" do
        Server.run(app, threads: 3, path: path, env: { "COMPACT" => compact }) do |server|
          # Each takes seconds where every allocation compacts the heap: one of each kind at least.
          count, killed = compact ? [3, 2] : [150, 5]
          server.push("Check", (1..count).map { |id| arguments(id) }, tags: ["é", { "a" => [1.5] }], bid: "b")
          server.push("Killed", [[1, "x"]] * killed)
          server.start
          server.await_idle(within: 300)
          messages = server.jobs_of(:retry).map { |job| job["error_message"] }
          aggregate_failures do
            expect(server.ledger.map(&:to_i)).to match_array((1..count).reject { |id| (id % 3).zero? })
            expect(messages.tally.values_at("wanted")).to eq([count / 3])
            expect(messages.size).to eq((count / 3) + killed), messages.inspect
          end
          expect(server.stop(within: 300).exitstatus).to eq(0)
        end
      end
    end
  end
end
