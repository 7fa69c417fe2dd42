# frozen_string_literal: true

require_relative "support/conformance"

# Client and server are on the same Redis, or nothing starts.
Conformance.describe "a :startup hook that subscribes on the application's connection", needs: "sidekiq" do
  app <<~'RUBY'
    class Heard
      include JobModule
      def perform = effect("performed")
    end
    Sidekiq.configure_server do |config|
      config.on(:startup) do
        subscribed = Queue.new
        Thread.new do
          Sidekiq.redis do |connection|
            if Sidekiq::VERSION.to_i < 7
              connection.subscribe("news") { |on| on.subscribe { subscribed << true } }
            else
              channel = connection.pubsub
              channel.call("SUBSCRIBE", "news")
              subscribed << true if channel.next_event(5)
            end
          end
        end
        subscribed.pop
      end
    end
  RUBY

  it "is no hindrance" do
    push("Heard")
    start("-c", "1")
    await_effects(1, "performed")
    expect(server.stop).to eq(0)
  end
end

Conformance.describe "a user that Redis does not know", needs: "sidekiq" do
  app <<~'RUBY', redis: -> { OwnRedis.start(tcp: true) }
    class Known
      include JobModule
      def perform = effect("performed", Sidekiq.redis { |connection| connection.get("probe") })
    end
  RUBY

  # The redis gem 4 tries the password alone; redis-client takes the answer for one.
  it "is followed as far as the application's client goes" do
    redis.call("SET", "probe", "found")
    push("Known")
    redis.call("CONFIG", "SET", "requirepass", "pw")
    env = { "REDIS_URL" => redis.tcp_url.sub("//", "//h:pw@") }
    unless generation?("7")
      start("-c", "1", env: env)
      expect(await_effects(1, "performed")).to eq([["found"]])
      expect(server.stop).to eq(0)
      env = { "REDIS_URL" => redis.tcp_url.sub("//", "//h:secret@") }
    end
    fail_to_start(env: env)
    expect(server.output).to include("WRONGPASS")
    expect(servers.map(&:output).join).not_to match(/h:pw|secret/)
  end
end

Conformance.describe "Redis as Footplate.configure names it beside Sidekiq", needs: "sidekiq" do
  app <<~'RUBY', redis: -> { OwnRedis.start(tcp: true) }, files: { "both.rb" => <<~'BOTH', "later.rb" => <<~'LATER' }
    require "sidekiq"
    require "footplate"
    Footplate.configure { |config| config.redis = { host: "localhost", port: ENV.fetch("PORT"), db: "2" } }
    class Either
      include JobModule
      def perform(by) = effect("performed", by, Sidekiq.redis { |connection| connection.get("probe") })
    end
    if ARGV.first == "enqueue"
      Either.perform_async("sidekiq")
      Footplate::Client.push("class" => "Either", "args" => ["footplate"])
    end
  RUBY
    Sidekiq.configure_server { |config| config.redis = { url: ENV.fetch("REDIS_URL") } }
    Sidekiq.configure_client { |config| config.redis = { url: ENV.fetch("REDIS_URL") } }
    load "app.rb"
  BOTH
    load "app.rb"
    Sidekiq.configure_server { |config| config.redis = { url: ENV.fetch("REDIS_URL") } }
  LATER

  it "counts for both, on either side" do
    redis.call("SELECT", 2)
    redis.call("SET", "probe", "two")
    # REDIS_URL names database 0.
    env = { "PORT" => redis.port.to_s, "REDIS_URL" => redis.tcp_url }
    client("app.rb", "enqueue", requires: ["sidekiq"], env: env)
    start("-c", "1", env: env)
    expect(await_effects(2, "performed")).to match_array([%w[sidekiq two], %w[footplate two]])
    expect(server.stop).to eq(0)
  ensure
    redis.call("SELECT", 0)
  end

  it "is refused where it contradicts, at the start and by check" do
    env = { "PORT" => redis.port.to_s, "REDIS_URL" => "redis://:secret@127.0.0.1:#{redis.port}/1" }
    [["./both.rb"], ["./later.rb", "check"]].each do |file, *command|
      fail_to_start(*command, require: file, env: env)
      expect(server.status.exitstatus).to eq(1)
      expect(server.lines.last)
        .to match(%r{\Afootplate: Footplate\.configure .*redis://localhost:\d+/2, and .*/1; jobs })
      expect(server.output).not_to include("secret")
    end
  end
end

Conformance.describe "Redis as an application without Sidekiq names it" do
  files = { "Gemfile" => Conformance::Application.gemfile_without_sidekiq }
  app <<~'RUBY', redis: -> { OwnRedis.start(tcp: true) }, files: files
    class Either
      include Footplate::Job
      def perform = effect("performed", Footplate.redis { |connection| connection.call("GET", "probe") })
    end
    Footplate.configure do |config|
      config.redis = { host: "127.0.0.1", port: ENV.fetch("PORT"), db: "2", ssl_params: { verify_mode: 0 } }
    end
  RUBY

  it "is the same to client and engine, whatever REDIS_URL says" do
    redis.call("SELECT", 2)
    redis.call("SET", "probe", "two")
    push("Either")
    start("-c", "1", env: { "PORT" => redis.port.to_s, "RUBYOPT" => "-rbundler/setup",
                            "REDIS_URL" => "redis://:wrong@127.0.0.1:1/7" })
    expect(await_effects(1, "performed")).to eq([["two"]])
    expect(server.output).to include("has ssl_params but no TLS")
    expect(server.stop).to eq(0)
  ensure
    redis.call("SELECT", 0)
  end
end
