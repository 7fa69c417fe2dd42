# frozen_string_literal: true

require "open3"
require "shellwords"
require_relative "../support/own_redis"

# What an operator is told to type where there is no dashboard.
RSpec.describe "the redis-cli commands of docs/applications.md" do
  page = File.read(File.expand_path("../../docs/applications.md", __dir__))
  commands = page.scan(/^    redis-cli ([^#\n]*?) *#/).flatten.map(&:shellsplit)

  it "show and clear what is there" do
    redis = OwnRedis.start
    redis.call("SADD", "queues", "default", "mailers")
    %w[default mailers].each { |name| redis.call("LPUSH", "queue:#{name}", "first", "second") }
    %w[retry schedule dead].each { |set| redis.call("ZADD", set, 1, "old", 2, "new") }
    redis.call("MSET", "stat:processed", 7, "stat:failed", 1)
    said = commands.map do |command|
      out, status = Open3.capture2e("redis-cli", "-s", redis.url.delete_prefix("unix://"), *command)
      expect(status).to be_success, out
      out.split
    end
    expect(said).to contain_exactly(match_array(%w[default mailers]), ["2"], %w[second first], ["2"], %w[old 1 new 2],
                                    %w[7 1], [], %w[old 1], ["1"], ["1"], ["1"])
    expect(redis.call("KEYS", "*").sort).to eq(%w[dead queue:default queues schedule stat:failed stat:processed])
    expect(redis.call("SMEMBERS", "queues")).to eq(["default"])
  ensure
    redis&.stop
  end
end
