# frozen_string_literal: true

require_relative "support/conformance"

# What clients put into payloads for the job to find, and Redis as the job finds it.
Conformance.describe "what surrounds a job", needs: %w[sidekiq activejob] do
  app <<~'RUBY'
    require "active_job"
    require "sidekiq/middleware/i18n"
    require "sidekiq/middleware/current_attributes"
    class Current < ActiveSupport::CurrentAttributes
      attribute :user
    end
    Sidekiq::CurrentAttributes.persist(Sidekiq::VERSION.to_i < 7 ? Current : "Current")
    I18n.available_locales = %i[en de]
    class Look
      include JobModule
      def perform(*what)
        effect("look", *what, Current.user, I18n.locale)
        raise "again" if what == ["fails"]
      end
    end
    if ARGV.first == "enqueue"
      Current.user = "ann"
      I18n.with_locale(:de) { Look.perform_async("first"); Look.perform_async("fails"); Look.perform_in(1, "later") }
    end
  RUBY

  scenario do
    client("app.rb", "enqueue", requires: ["sidekiq"])
    start("-c", "1")
    await_effects(3, "look")
    drained
    @code = server.stop
  end

  it "is restored from the payload, also when it comes from the schedule, and taken away again" do
    push("Look", "nobody's")
    start("-c", "1")
    await_effects(4, "look")
    server.stop
    seen = %w[first fails later].map { |what| [what, "ann", "de"] }
    expect(effects("look")).to match_array([*seen, ["nobody's", nil, "en"]])
    expect(@code).to eq(0)
  end

  it "is kept for the retry" do
    job = entries("retry").fetch("Look")
    expect(job).to include("locale" => "de", "error_message" => "again")
    expect(job["cattr"].to_s).to include("ann")
  end
end

Conformance.describe "Redis as a job finds it", needs: "sidekiq" do
  app <<~'RUBY', redis: -> { OwnRedis.start(tcp: true) }
    class Here
      include JobModule
      def perform = nil
    end
    class Shards
      include JobModule
      def perform
        effect("redis", Sidekiq.redis { |connection| connection.get("probe") })
        other = Sidekiq::RedisConnection.create(url: ENV.fetch("OTHER"), size: 30)
        Sidekiq::Client.via(other) { Here.perform_async }
        Here.set(queue: "unwatched").perform_async
      end
    end
  RUBY

  scenario do
    redis.call("SET", "probe", "found")
    push("Shards")
    start(env: { "OTHER" => redis.tcp_url.sub(%r{/0\z}, "/1") })
    eventually("the push") { queue("unwatched").size == 1 }
    @code = server.stop
    redis.call("SELECT", 1)
    @elsewhere = queue.map { |job| JSON.parse(job)["class"] }
    redis.call("SELECT", 0)
  end

  it "is the one that was configured, and another where the job says so" do
    expect(effects("redis")).to eq([["found"]])
    expect(@elsewhere).to eq(["Here"])
    expect(queue).to be_empty
    expect(@code).to eq(0)
  end
end
