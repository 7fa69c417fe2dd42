# frozen_string_literal: true

require "spec_helper"
require "support/boot_process"
require "footplate/server/boot/application"

RSpec.describe Footplate::Server::Application do
  include BootProcess

  let(:rails) do
    { "config/application.rb" => <<~APPLICATION, "config/environment.rb" => <<~ENVIRONMENT }
      require "rails"
      require "active_job/railtie"
      class Shop < Rails::Application
        config.eager_load = false
        config.logger = Logger.new(IO::NULL)
        config.secret_key_base = "x"
      end
    APPLICATION
      require_relative "application"
      Rails.application.initialize!
    ENVIRONMENT
  end

  it "names a folder, and the application of a Capistrano release" do
    expect(described_class.default_tag("/srv/shop")).to eq("shop")
    expect(described_class.default_tag("/srv/shop/releases/20240102030405")).to eq("shop")
    expect(described_class.default_tag("/srv/releases/shop")).to eq("shop")
    expect(described_class.default_tag("/srv/shop/20240102030405")).to eq("20240102030405")
  end

  {
    { require: "Gemfile" } => /\AGemfile is no Ruby file: its name does not end in \.rb\. Run this/,
    { require: "nope.rb" } => /\AThere is no nope\.rb\. Run this in the folder/,
    {} => %r{\A\. holds no Rails application \(no config/application\.rb\)}
  }.each do |typed, sentence|
    it "refuses #{typed} in a sentence" do
      script = "begin; boot(#{typed.inspect}); rescue Footplate::Server::BootError => e; answer(e.message); end"
      expect(in_application({ "Gemfile" => "" }, script)).to match(sentence)
    end
  end

  it "passes the application's own errors on" do
    out, status = output_of({ "app.rb" => "def x\n  nope\nend\nx\n" }, "exit status(:run, {require: 'app.rb'})")
    expect(status).to eq(1)
    expect(out).to match(/\Afootplate: NameError: undefined local variable or method .nope.*^  at .*app\.rb:2/m)
    expect(out).not_to include("server/boot.rb")
  end

  it "shows the whole backtrace when verbose" do
    out, = output_of({ "app.rb" => "nope" }, "exit status(:run, {require: 'app.rb', verbose: true})")
    expect(out).to match(/^  .*boot\.rb:\d+/)
  end

  it "shows no place for a syntax error but the one in its message" do
    out, status = output_of({ "app.rb" => "def (" }, "exit status(:run, {require: 'app.rb'})")
    expect(status).to eq(1)
    expect(out).to match(%r{\Afootplate: SyntaxError: \S+/app\.rb:1: })
    expect(out).not_to match(/^  at /)
  end

  it "reports exceptions of every kind" do
    out, status = output_of({ "app.rb" => "def again = again\nagain" }, "exit status(:run, {require: 'app.rb'})")
    expect(status).to eq(1)
    expect(out).to match(/\Afootplate: SystemStackError: stack level too deep\n  at .*app\.rb:1/)
  end

  it "says that a file cannot be read" do
    script = <<~'SCRIPT'
      application = Footplate::Server::Application.new(Footplate::Server::Settings.new({require: "app.rb"}), nil)
      File.chmod(0, "app.rb")
      File.chmod(0o711, ".")
      Process::UID.change_privilege(65_534) if Process.uid.zero?
      begin application.check; rescue Footplate::Server::BootError => e; answer(e.message); end
    SCRIPT
    expect(in_application({ "app.rb" => "" }, script)).to eq("app.rb cannot be read: Permission denied")
  end

  it "lets the application end the process in its own way" do
    _, status = output_of({ "app.rb" => "exit 7" }, "exit status(:run, {require: 'app.rb'})")
    expect(status).to eq(7)
  end

  describe "a Rails application", rails: true do
    let(:script) do
      <<~SCRIPT
        facade = boot({environment: "production"}).facade
        answer({env: Rails.env.to_s, rack: ENV["RACK_ENV"], tag: facade.tag, cached: facade.cache_classes?,
                reloader: facade.reloader.class.name, server: Footplate.server?, version: (facade.sidekiq_version.to_s if facade.gem?),
                cleans: facade.backtrace_cleaner&.call([]), sidekiq: !!(defined?(Sidekiq.server?) && Sidekiq.server?)})
      SCRIPT
    end

    it "boots with the sidekiq gem", sidekiq_gem: true do
      found = in_application(rails, script)
      expect(found).to include("env" => "production", "rack" => "production", "sidekiq" => true,
                               "reloader" => "Sidekiq::Rails::Reloader",
                               "tag" => a_string_starting_with("footplate-app"))
      expect(found["cleans"]).to eq(InstalledGems.sidekiq_major == 6 ? nil : [])
    end

    it "boots without" do
      expect(in_application(rails, "without_gem!\n#{script}")).to include(
        "env" => "production", "server" => true, "reloader" => "Footplate::Railtie::Reloader", "version" => nil,
        "cleans" => [], "sidekiq" => false, "tag" => a_string_starting_with("footplate-app")
      )
    end
  end

  it "boots a file without the sidekiq gem, and reads what it configured" do
    found = in_application({ "app.rb" => <<~APP, "config/footplate.yml" => "beat_seconds: 2\n" }, <<~SCRIPT)
      Footplate.configure_server do |config|
        config.redis = {host: "h.invalid", password: "p"}
        config.concurrency = 3
        config.queues = %w[a b,2]
        config.on(:startup) { config.capsule("late") { |c| c.queues = ["z"] } }
        config[:max_retries] = 4
      end
    APP
      without_gem!
      booted = boot({require: "app.rb", labels: ["x"]})
      booted.facade.fire_event(:startup)
      answer engine_config(booted)
    SCRIPT
    expect(found).to include(
      "sidekiq_version" => nil, "max_retries" => 4,
      "redis" => a_hash_including("host" => "h.invalid", "password" => "p"),
      "labels" => ["x"], "tuning" => { "beat_seconds" => 2 },
      "log" => { "native" => { "fd" => 1, "format" => "pretty", "colour" => false },
                 "skip_default_job_logging" => false }
    )
    expect(found["capsules"].map { |capsule| capsule.values_at("name", "concurrency", "mode") })
      .to eq([["default", 3, "weighted"], ["late", 5, "strict"]])
  end

  it "leaves lines to a logger that the application brought" do
    app = "Footplate.config.logger = Logger.new($stdout)"
    script = "without_gem!\nanswer boot({require: 'app.rb'}).facade.native_log"
    expect(in_application({ "app.rb" => "require 'logger'; #{app}" }, script)).to be_nil
  end
end
