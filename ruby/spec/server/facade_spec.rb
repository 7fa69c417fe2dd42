# frozen_string_literal: true

require "spec_helper"
require "support/boot_process"
require "footplate/server/facade"

# With the sidekiq gem of this machine, whichever version that is.
RSpec.describe Footplate::Server::Facade, if: InstalledGems.has?("sidekiq") do
  include BootProcess

  let(:major) { InstalledGems.sidekiq_major }

  it "makes the application believe it runs in Sidekiq" do
    script = "answer [$ran, !!Sidekiq.server?, Sidekiq::CLI.instance.environment, ENV['RAILS_ENV'], " \
             "facade.sidekiq_version.to_s]"
    found = with_app(<<~APP, script)
      require "sidekiq"
      $ran = []
      Sidekiq.configure_server { |_| $ran << "server" }
      Sidekiq.configure_client { |_| $ran << "client" }
    APP
    expect(found).to match([["server"], true, "development", "development", a_string_starting_with(major.to_s)])
  end

  it "shows gems the options where Sidekiq's own command line puts them" do
    files = { "config/sidekiq.yml" => ":concurrency: 3\n:queues: [[a, 2], b]\n:scheduler: {x: 1}\n:labels: [l]\n" }
    found = with_app("require 'sidekiq'",
                     <<~SCRIPT, { require: "app.rb", environment: "staging", timeout: 8 }, files: files)
                       answer({own: %i[concurrency timeout scheduler environment].to_h { |key| [key, facade[key]] }, labels: facade.labels,
                               capsules: facade.capsules.map { |c| [c.name, c.concurrency, c.mode, c.queues] }, timeout: facade.timeout})
                     SCRIPT
    unweighted = major == 6 ? 1 : 0
    expect(found).to eq(
      "own" => { "concurrency" => 3, "timeout" => 8, "scheduler" => { "x" => 1 }, "environment" => "staging" },
      "labels" => ["l"], "timeout" => 8,
      "capsules" => [["default", 3, "weighted", [["a", 2], ["b", unweighted]]]]
    )
  end

  it "has the version's own defaults" do
    found = with_app("require 'sidekiq'", <<~SCRIPT)
      answer({capsules: facade.capsules.map { |c| [c.concurrency, c.mode, c.queues] }, tag: facade.tag, priority: facade.thread_priority,
              reloader: facade.reloader, logger: facade.job_logger, json: facade.custom_json?, retries: facade.max_retries,
              cleaner: facade.backtrace_cleaner, log: facade.native_log, level: facade.log_level, parts: booted.replaced_parts.map(&:to_s)})
    SCRIPT
    expect(found).to include(
      "capsules" => [[major == 6 ? 10 : 5, "strict", [["default", 0]]]], "priority" => major == 8 ? -1 : 0,
      "reloader" => nil, "logger" => nil, "json" => false, "retries" => 25, "cleaner" => nil,
      "level" => "info", "parts" => [],
      "log" => { "fd" => 1, "format" => "pretty", "colour" => major == 8 }
    )
    expect(found["tag"]).to(major == 8 ? start_with("footplate-app") : eq(""))
  end

  it "sees what the application changed" do
    found = with_app(<<~APP, <<~SCRIPT)
      require "sidekiq"
      class Middle; def call(*) = yield; end
      Cleaner = ->(lines) { lines.first(1) }
      Sidekiq.configure_server do |config|
        store = Sidekiq::VERSION.to_i >= 7 ? config : Sidekiq.options
        store[:reloader] = proc { |&block| block.call }
        store[:job_logger] = Class.new
        store[:max_retries] = 3
        store[:backtrace_cleaner] = Cleaner
        store[:tag] = "mine"
        config.server_middleware { |chain| chain.add Middle }
        config.client_middleware { |chain| chain.add Middle }
        config.death_handlers << proc {}
        config.logger.level = Logger::WARN
        def (config.logger).note = nil
      end
    APP
      answer({reloader: facade.reloader.class.name, logger: facade.job_logger.class.name, retries: facade.max_retries, tag: facade.tag,
              cleaned: facade.backtrace_cleaner.call(%w[a b]), chain: facade.server_middleware("default").map { |e| e.klass.name },
              client: facade.client_middleware?, deaths: facade.death_handlers.size, level: facade.log_level, log: facade.native_log})
    SCRIPT
    expect(found).to eq(
      "reloader" => "Proc", "logger" => "Class", "retries" => 3, "tag" => "mine", "cleaned" => ["a"],
      "chain" => ["Middle"],
      "client" => true, "deaths" => 1, "level" => "warn", "log" => nil
    )
  end

  it "fires events as the gem does, and none that it does not have" do
    found = with_app(<<~APP, <<~SCRIPT)
      require "sidekiq"
      $fired = []
      Sidekiq.configure_server do |config|
        config.on(:startup) { $fired << 1 }
        config.on(:quiet) { $fired << 2 }
        config.on(:quiet) { $fired << 3 }
        config.on(:quiet) { raise "oops" }
        config.error_handlers.clear
        config.error_handlers << proc { |error, context, *| $fired << [error.message, context[:event]] }
      end
    APP
      2.times { facade.fire_event(:startup) }
      facade.fire_event(:quiet, reverse: true)
      facade.fire_event(:nonsense)
      facade.freeze!
      answer $fired
    SCRIPT
    expect(found).to eq([1, %w[oops quiet], 3, 2])
  end

  it "runs error handlers of either arity" do
    found = with_app(<<~APP, "facade.handle_exception(RuntimeError.new('x'), {job: 1}); answer $seen")
      require "sidekiq"
      $seen = []
      Sidekiq.configure_server { |config| config.error_handlers << ->(e, c, cfg = nil) { $seen << [e.message, c[:job]] } }
    APP
    expect(found).to eq([["x", 1]])
  end

  it "completes a payload as the gem's client does" do
    script = <<~SCRIPT
      done = facade.normalize({"class" => "Gone", "args" => [1], "at" => 5.5, "extra" => [2]})
      answer [done, (facade.normalize({"class" => "Gone", "args" => 1}) rescue $!.class.name)]
    SCRIPT
    payload, refusal = with_app("require 'sidekiq'", script)
    expect(payload).to include("class" => "Gone", "args" => [1], "extra" => [2], "queue" => "default", "retry" => true)
    expect(payload).to include("jid" => a_string_matching(/\A\h{24}\z/), "created_at" => a_kind_of(Numeric))
    expect(refusal).to eq("ArgumentError")
  end

  it "refuses a queue named twice in Sidekiq 6", if: InstalledGems.sidekiq_major == 6 do
    script = "boot({require: 'app.rb', queues: %w[a a]}) rescue answer($!.message)"
    expect(in_application({ "app.rb" => "" }, script)).to eq("queues: a cannot be defined twice")
  end
end
