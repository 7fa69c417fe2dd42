# frozen_string_literal: true

require_relative "support/server"

RSpec.describe "Due jobs with client middleware" do
  app = <<~'RUBY'
    class Quick
      include Footplate::Job

      def perform(id) = mark(id)
    end

    class Gate
      def call(_class, job, _queue, _pool)
        case job["args"].first
        when "asks" then ask && yield
        when "veto" then mark("vetoed") && false
        when "exit" then raise NotImplementedError, "no StandardError"
        when "kill" then Thread.current.kill
        else yield
        end
      end

      # Until the test lets it answer.
      def ask
        mark("asked")
        sleep(0.005) until File.exist?("answer")
        true
      end
    end
    APP.configure_server { |config| config.client_middleware { |chain| chain.add(Gate) } }
  RUBY

  def schedule(server, id, at: 1)
    job = { class: "Quick", args: [id], queue: "default", jid: "#{id}-#{at}", retry: true }
    server.redis.call("ZADD", "schedule", at, JSON.generate(job))
  end

  def left(server)
    server.jobs_of(:schedule).map { |job| job["args"].first }
  end

  it "drops what a middleware vetoes" do
    Server.run(app) do |server|
      schedule(server, "veto")
      schedule(server, "runs")
      server.start
      server.eventually("an empty schedule") { left(server).empty? }
      server.await_ledger(2)
      server.await_idle
      expect(server.stop.exitstatus).to eq(0)
      expect(server.ledger).to contain_exactly("vetoed", "runs")
    end
  end

  it "buries what is no job" do
    Server.run(app) do |server|
      server.redis.call("ZADD", "schedule", 1, "[1]")
      server.start
      server.eventually("a burial") { server.count(:dead) == 1 }
      expect(server.count(:schedule)).to eq(0)
      expect(server.stop.exitstatus).to eq(0)
    end
  end

  # Taken together: what is not asked about stays put for 30 s.
  %w[exit kill].each do |poison|
    it "goes on behind one that ends its thread (#{poison})" do
      Server.run(app) do |server|
        ["first", poison, "next", poison, "last"].each.with_index { |id, at| schedule(server, id, at:) }
        server.start
        server.await_ledger(3, within: 20)
        server.eventually("its place") { left(server) == [poison] * 2 }
        expect(server.stop.exitstatus).to eq(0)
        expect(server.ledger).to contain_exactly("first", "next", "last")
      end
    end
  end

  # Held for 30 s, it would be another's then, or be asked about again.
  it "move as soon as Redis lets them, once a middleware has been asked" do
    Server.run(app) do |server|
      schedule(server, "asks")
      server.start
      server.await_ledger(1)
      server.redis.call("REPLICAOF", "127.0.0.1", "1")
      FileUtils.touch(File.join(server.dir, "answer"))
      # Said once for all that is refused. The move is repeated every second at the latest, as others are.
      server.eventually("refusals") { server.redis.call("INFO", "errorstats")[/READONLY:count=(\d+)/, 1].to_i >= 10 }
      server.redis.call("REPLICAOF", "NO", "ONE")
      server.await_ledger(2, within: 15)
      server.await_idle
      expect(left(server)).to eq([])
      expect(server.stop.exitstatus).to eq(0)
      expect(server.ledger).to eq(%w[asked asks])
    end
  end
end
