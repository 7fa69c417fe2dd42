# frozen_string_literal: true

require "spec_helper"
require "support/boot_process"

RSpec.describe "Footplate::Server::MiddlewareRun", sidekiq_gem: true do
  include BootProcess

  app = <<~RUBY
    require "sidekiq"
    require "sidekiq/processor"
    SEEN = []
    class Outer
      def initialize(name) = @name = name

      def call(job, payload, queue)
        SEEN << [@name, job.class.name, payload["class"], queue]
        yield.tap { SEEN << [@name, "after"] }
      end
    end
    class Changes
      def call(_job, payload, _queue)
        payload["args"] = [payload["args"].first + 1]
        yield
      end
    end
    class Twice
      def call(*)
        yield
        yield
      end
    end
    class Never
      def call(*) = nil
    end
    class Knows
      attr_accessor :config

      def call(*, &job)
        SEEN << config.class.name
        SEEN << job.call(1)
      end
    end
    class Raises
      def call(*)
        yield
        raise ArgumentError, "after the job"
      end
    end
    class Rescues
      def call(*)
        yield
      rescue ArgumentError => e
        SEEN << e.message
      end
    end
    class Adder
      def perform(number) = number.tap { SEEN << number }
    end
  RUBY

  run = <<~RUBY
    require "footplate/server/job/middleware_run"
    chain = Sidekiq::VERSION.to_i >= 7 ? Sidekiq::Middleware::Chain.new(Sidekiq.default_configuration) : Sidekiq::Middleware::Chain.new
    fill(chain)
    payload = { "class" => "Adder", "args" => [1] }
    ours = Footplate::Server::MiddlewareRun.for(chain)
    ours&.call(Adder.new, payload.dup, "default")
    seen = SEEN.dup
    SEEN.clear
    theirs = payload.dup
    job = Adder.new
    chain.invoke(job, theirs, "default") { job.perform(*theirs["args"]) }
    answer [ours.nil?, seen, SEEN]
  RUBY

  define_method(:both) do |fill, extra = ""|
    in_application({ "app.rb" => app + extra }, "boot({require: 'app.rb'})\ndef fill(chain) = #{fill}\n#{run}")
  end

  it "does what the chain does" do
    skip "Sidekiq 6 has another chain" if InstalledGems.sidekiq_major == 6

    ["chain.add(Outer, 'a'); chain.add(Changes); chain.add(Outer, 'b')", "chain.add(Twice); chain.add(Outer, 'a')",
     "chain.add(Outer, 'a'); chain.add(Never)", "chain.add(Knows); chain.add(Outer, 'a')",
     "chain.add(Rescues); chain.add(Outer, 'a'); chain.add(Raises)"].each do |fill|
      none, ours, theirs = both("begin; #{fill}; end")
      expect(none).to be(false)
      expect(ours).to eq(theirs)
      expect(ours).not_to be_empty
    end
  end

  it "leaves it to the chain where somebody has changed that" do
    traced = "module Traced; def invoke(*) = super; end; Sidekiq::Middleware::Chain.prepend(Traced)"
    written_over = "class Sidekiq::Middleware::Chain; def retrieve = map(&:make_new); end"
    singleton = "chain.add(Twice); def chain.invoke(*) = super"
    hidden = "chain.add(Twice); class << chain; private def traverse(*) = super; end"
    extended = "chain.add(Twice); chain.extend(Module.new { private def traverse(*) = super })"
    expect(both("chain.add(Twice)", traced).first).to be(true)
    expect(both("chain.add(Twice)", written_over).first).to be(true)
    [singleton, hidden, extended].each { |fill| expect(both("begin; #{fill}; end").first).to be(true) }
  end
end
