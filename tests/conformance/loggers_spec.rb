# frozen_string_literal: true

require_relative "support/conformance"

# Loggers that are other than Sidekiq's, or become so: what Sidekiq does with them is done, and no job fails for it.
LOGGING_JOBS = <<~'RUBY'
  class Fine
    include JobModule
    def perform(*) = effect("ran")
  end
  module Marks
    def self.on(object, method)
      object.define_singleton_method(method) { |*all, &block| effect("marked", (all.last || block&.call).to_s[/start|done|fail/]) || super(*all, &block) }
    end
  end
  class Extends
    include JobModule
    def perform(part)
      logger = Sidekiq.logger
      device = logger.instance_variable_get(:@logdev)
      case part
      when "logger" then Marks.on(logger, :info)
      when "formatter" then Marks.on(logger.formatter, :call)
      when "device" then Marks.on(device, :write)
      when "io" then Marks.on(device.dev, :write)
      end
    end
  end
RUBY

# As SemanticLogger's. To Sidekiq 6 every logger has an `info?` that compares the level with a number.
Conformance.describe "a logger with levels that are no numbers" do
  app <<~RUBY
    #{LOGGING_JOBS}
    class Symbolic < Logger
      def level = :info
      %w[debug info warn error fatal].each do |name|
        define_method(name) { |text = nil, &block| effect("said", (text || block.call).to_s) }
      end
    end
    Sidekiq.configure_server do |config|
      logger = Symbolic.new($stdout)
      config.respond_to?(:logger=) ? config.logger = logger : Sidekiq.logger = logger
    end
  RUBY

  scenario do
    push("Fine")
    start("-c", "1")
    drained
    server.stop
  end

  it "keeps no job from succeeding, and gets its lines" do
    expect([effects("ran").size, redis.call("GET", "stat:failed").to_i, entries("retry")]).to eq([1, 0, {}])
    expect(effects("said").flatten).to include("start", "done")
  end
end

%w[logger formatter device io].each do |part|
  Conformance.describe "a #{part} that a job extends" do
    app LOGGING_JOBS

    scenario do
      push("Extends", part)
      push("Fine")
      start("-c", "1")
      drained
      server.stop
    end

    it "writes the lines of the jobs from then on" do
      expect(effects("marked").flatten.compact.first(3)).to eq(%w[done start done])
    end
  end
end
