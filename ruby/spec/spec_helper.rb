# frozen_string_literal: true

require "fileutils"
require_relative "../../tests/support/redis_server"
require "support/ruby_process"
require "support/installed_gems"

# The suite runs in two worlds: an application without the sidekiq gem, and (FOOTPLATE_SPEC_SIDEKIQ=1) with it.
require "sidekiq" if ENV["FOOTPLATE_SPEC_SIDEKIQ"] == "1"
require "footplate"

# One server for the whole suite, started when first asked for.
module SharedRedis
  def self.server
    @server ||= RedisServer.start
  end

  def redis
    SharedRedis.server
  end

  # The payloads in a queue, the one that runs first at the front.
  def jobs_in(queue)
    redis.call("LRANGE", "queue:#{queue}", 0, -1).reverse.map { |job| JSON.parse(job) }
  end

  # [payload, score] pairs of a sorted set.
  def entries_of(key)
    redis.call("ZRANGE", key, 0, -1, "WITHSCORES").each_slice(2).map { |job, score| [JSON.parse(job), score.to_f] }
  end
end

# Gives every example a configuration of its own.
module FreshConfig
  def self.reset
    Footplate.instance_variable_set(:@config, nil)
    Footplate.instance_variable_set(:@server, nil)
    Footplate.instance_variable_set(:@default_job_options, nil)
  end
end

RSpec.configure do |config|
  config.disable_monkey_patching!
  config.include RubyProcess
  config.include SharedRedis, :redis

  # What a machine has not, it cannot show.
  config.filter_run_excluding(active_job: true) unless InstalledGems.has?("activejob")
  config.filter_run_excluding(rails: true) unless InstalledGems.has?("railties")
  config.filter_run_excluding(sidekiq_gem: true) unless InstalledGems.has?("sidekiq")

  config.before { FreshConfig.reset }
  config.before(:each, :redis) do
    redis.call("FLUSHALL")
    Footplate.configure { |c| c.redis = { url: redis.url } }
  end
end
