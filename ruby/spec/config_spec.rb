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

  describe "capsules" do
    it "has a default one, which the short forms change" do
      config.concurrency = "7"
      config.queues = %w[a b]

      expect(config.capsules.keys).to eq(["default"])
      expect([config.concurrency, config.queues, config.default_capsule.mode]).to eq([7, %w[a b], :strict])
    end

    it "adds others and finds them again" do
      config.capsule("mail") { |c| c.concurrency = 2 }
      config.capsule(:mail) { |c| c.queues = ["mail"] }

      expect(config.capsules.keys).to eq(%w[default mail])
      expect(config.total_concurrency).to eq(config.concurrency + 2)
      expect(config.capsule("mail").queues).to eq(["mail"])
    end

    it "reads queues in every way people write them" do
      capsule = config.default_capsule
      [["a,3", "b"], [["a", 3], "b"], { "a" => 3, "b" => 0 }].each do |list|
        capsule.queues = list
        expect(capsule.weights).to eq("a" => 3, "b" => 0)
        expect([capsule.queues, capsule.mode]).to eq([%w[a a a b], :weighted])
      end
      capsule.queues = { a: 1, b: 1 }
      expect(capsule.mode).to eq(:random)
    end

    it "refuses a concurrency that cannot work" do
      [0, -1, "many"].each { |bad| expect { config.concurrency = bad }.to raise_error(ArgumentError) }
    end

    it "copies the application's middleware when first asked" do
      one = Class.new
      two = Class.new
      config.server_middleware { |chain| chain.add(one) }
      config.capsule("mail").server_middleware { |chain| chain.add(two) }

      expect(config.server_middleware.map(&:klass)).to eq([one])
      expect(config.capsule("mail").server_middleware.map(&:klass)).to eq([one, two])
    end
  end

  describe "events" do
    it "fire once, forwards at the start and backwards at the end" do
      ran = []
      %i[startup quiet beat].each { |event| 2.times { |i| config.on(event) { ran << [event, i] } } }
      2.times { %i[startup beat quiet].each { |event| config.fire_event(event) } }

      expect(ran).to eq([[:startup, 0], [:startup, 1], [:beat, 0], [:beat, 1], [:quiet, 1], [:quiet, 0],
                         [:beat, 0], [:beat, 1]])
    end

    it "stop the boot when :startup raises; otherwise the error handlers hear of it and the rest runs" do
      errors = []
      ran = false
      config.error_handlers << ->(error, context, _) { errors << [error.message, context[:event]] }
      config.on(:shutdown) { ran = true }
      %i[startup shutdown].each { |event| config.on(event) { raise "bad #{event}" } }

      expect { config.fire_event(:startup) }.to raise_error("bad startup")
      config.fire_event(:shutdown)
      expect([errors, ran]).to eq([[["bad shutdown", :shutdown]], true])
    end

    it "have known names" do
      expect { config.on(:lunch) { nil } }.to raise_error(ArgumentError, /\AInvalid event name: lunch; there are start/)
      expect { config.on("quiet") { nil } }.to raise_error(ArgumentError, /Symbols only/)
      expect { config.fire_event(:lunch) }.to raise_error(ArgumentError, /Invalid event name/)
    end
  end

  describe "handlers" do
    it "get exception, context and configuration; old ones get two arguments" do
      seen = []
      config.error_handlers << ->(*args) { seen << args }
      config.error_handlers << ->(error, context) { seen << [error, context] }
      config.error_handlers << Class.new { define_method(:call) { |error, context| seen << [error, context] } }.new
      error = IOError.new("x")
      config.handle_exception(error, { job: 1 })

      expect(seen).to eq([[error, { job: 1 }, config], *([[error, { job: 1 }]] * 2)])
    end

    it "are all called, even when one of them fails" do
      log = StringIO.new
      config.logger = Logger.new(log)
      called = []
      config.error_handlers << ->(*) { raise NotImplementedError, "broken handler" }
      config.error_handlers << ->(error, *) { called << error.message }
      config.handle_exception(IOError.new("x"))

      expect(called).to eq(["x"])
      expect(log.string).to include("broken handler")
    end
  end
end
