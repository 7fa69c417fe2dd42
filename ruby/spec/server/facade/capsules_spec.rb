# frozen_string_literal: true

require "spec_helper"
require "support/boot_process"
require "footplate/server/facade"

# Sidekiq has them from 7 on.
RSpec.describe Footplate::Server::Facade, "capsules", if: InstalledGems.sidekiq_major.to_i >= 7 do
  include BootProcess

  it "come from files, from initializers, and from :startup" do
    files = { "config/sidekiq.yml" => "capsules: {filed: {concurrency: 1, queues: [x]}}\n" }
    found = with_app(<<~APP, <<~SCRIPT, files: files)
      require "sidekiq"
      Sidekiq.configure_server do |config|
        config.capsule("inited") { |c| c.concurrency = 2; c.queues = %w[y,1 z,1] }
        config.on(:startup) { config.capsule("late") { |c| c.concurrency = 3; c.queues = %w[q q] } }
      end
    APP
      facade.fire_event(:startup)
      answer facade.capsules.map { |c| [c.name, c.concurrency, c.mode, c.queues] }
    SCRIPT
    expect(found).to eq(
      [["default", 5, "strict", [["default", 0]]], ["filed", 1, "strict", [["x", 0]]],
       ["inited", 2, "random", [["y", 1], ["z", 1]]], ["late", 3, "strict", [["q", 0]]]]
    )
  end

  it "keep their own middleware" do
    script = "answer %w[default other].map { |n| facade.server_middleware(n).map { |e| e.klass.name } }"
    found = with_app(<<~APP, script)
      require "sidekiq"
      class All; end
      class One; end
      Sidekiq.configure_server do |config|
        config.server_middleware { |chain| chain.add All }
        config.capsule("other") { |c| c.concurrency = 1; c.queues = ["q"]; c.server_middleware { |chain| chain.add One } }
      end
    APP
    expect(found).to eq([["All"], %w[All One]])
  end
end
