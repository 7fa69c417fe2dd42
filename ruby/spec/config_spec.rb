# frozen_string_literal: true

require "logger"
require "stringio"

RSpec.describe Footplate::Config do
  subject(:config) { Footplate.config }

  describe "configure blocks" do
    it "run by the role of the process" do
      roles = lambda do
        [].tap do |ran|
          Footplate.configure { ran << :all }
          Footplate.configure_server { ran << :server }
          Footplate.configure_client { ran << :client }
        end
      end

      expect(roles.call).to eq(%i[all client])
      Footplate.server!
      expect(roles.call).to eq(%i[all server])
    end
  end

  describe "settings" do
    it "reads and writes by key, with defaults" do
      config[:own] = 1
      config.merge!(timeout: 8)

      expect(config[:timeout]).to eq(8)
      expect(config.fetch(:own)).to eq(1)
      expect(config.fetch(:none, 2)).to eq(2)
      expect([config.key?(:max_retries), config.key?(:none)]).to eq([true, false])
      expect(described_class.new[:timeout]).to eq(25)
    end

    it "has a reloader that runs the block, until it is given another" do
      expect(config.reloader.call { 3 }).to eq(3)
      config.reloader = ->(&block) { [block.call] }
      expect(config.reloader.call { 3 }).to eq([3])
    end

    it "refuses an unknown mode for strict arguments" do
      expect(config.strict_args).to eq(:raise)
      expect { config.strict_args = :loud }.to raise_error(ArgumentError)
    end

    it "knows whether the logger is the application's" do
      expect(config.logger?).to be(false)
      expect(config.logger).to respond_to(:info)
      own = config.logger = Logger.new(StringIO.new)
      expect([config.logger, config.logger?, Footplate.logger]).to eq([own, true, own])
    end

    it "merges Redis options and refuses a pool" do
      expect(config).not_to be_redis_configured
      config.redis = { "url" => "redis://a/1" }
      config.redis = { size: 3 }
      expect(config.redis_options).to eq(url: "redis://a/1", size: 3)
      expect(config).to be_redis_configured
      expect { config.redis = Object.new }.to raise_error(ArgumentError, /must be a Hash/)
    end

    it "shows no password" do
      config.redis = { password: "secret", url: "redis://:secret@a/1" }
      expect([config, config.redis_pool, config.default_capsule, config.client_middleware].map(&:inspect).join)
        .not_to include("secret")
    end
  end
end
