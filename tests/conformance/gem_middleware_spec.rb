# frozen_string_literal: true

require_relative "support/conformance"

# Metrics, and the hand-back of jobs that give way, are the gem's middleware; here the engine's work.
Conformance.describe "the gem's own server middleware, taken out", since: "7.3" do
  app <<~'RUBY', files: { "config/footplate.yml" => "beat_seconds: 0.5\n" }
    class Fine
      include JobModule
      def perform(*) = effect("fine")
    end
    class Fails < Failing; end
    class GivesWay
      include JobModule
      def perform
        effect("waits")
        sleep 0.005 until interrupted?
        raise Sidekiq::Job::Interrupted
      end
    end
    class Around
      def call(*) = yield
    end
    Sidekiq.configure_server do |config|
      config.server_middleware do |chain|
        case ENV["TAKE"]
        when "clear" then chain.clear
        when "clear and add" then chain.clear && chain.add(Around)
        when "metrics" then chain.remove(Sidekiq::Metrics::Middleware)
        when "interrupts" then chain.remove(Sidekiq::Job::InterruptHandler)
        end
      end
      config[:reloader] = ->(&job) { job.call } if ENV["RELOADS"]
    end
  RUBY

  # @return [Array] whether there are metrics, and whether the job that gave way failed
  def without(what, reloads: nil)
    redis.call("FLUSHALL")
    %w[Fine Fails].each { |name| push(name, 1) }
    push("GivesWay", queue: "other")
    start("-c", "1", "-q", "default", "-q", "other", env: { "TAKE" => what, "RELOADS" => reloads })
    eventually("a beat after the jobs") { processed >= 2 }
    await_effects(@runs = @runs.to_i + 1, "waits")
    server.stop
    [redis.call("KEYS", "j|*").any?, entries("retry").key?("GivesWay")]
  end

  it "does its work no more" do
    found = ["nothing", "metrics", "interrupts", "clear", "clear and add"].to_h { |what| [what, without(what)] }
    expect(found).to eq("nothing" => [true, false], "metrics" => [false, false], "interrupts" => [true, true],
                        "clear" => [false, true], "clear and add" => [false, true])
    expect(without("clear", reloads: "1")).to eq([false, true])
  end
end
