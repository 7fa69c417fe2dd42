# frozen_string_literal: true

require "spec_helper"
require "support/settings_folder"

RSpec.describe Footplate::Server::Settings do
  include SettingsFolder

  it "says only what was said" do
    expect(settings.options).to eq(queues: ["default"])
    expect(settings.concurrency).to be_nil
    expect(settings.require_path).to eq(".")
    expect(settings.files).to be_empty
  end

  describe "the environment" do
    it "is -e, then APP_ENV, RAILS_ENV, RACK_ENV, then development" do
      env = { "APP_ENV" => "app", "RAILS_ENV" => "rails", "RACK_ENV" => "rack" }
      expect(settings({ environment: "typed" }, env).environment).to eq("typed")
      expect(settings({}, env).environment).to eq("app")
      expect(settings({}, env.slice("RAILS_ENV", "RACK_ENV")).environment).to eq("rails")
      expect(settings({}, env.slice("RACK_ENV")).environment).to eq("rack")
      expect(settings.environment).to eq("development")
    end
  end

  describe "precedence" do
    before do
      write("config/sidekiq.yml", "concurrency: 1\ntimeout: 1\ntag: s\nlabels: [a]\nstaging:\n  timeout: 2\n  tag: e\n")
      write("config/footplate.yml", "tag: f\nlease_seconds: 30\n")
    end

    it "is flags, footplate.yml, the environment's section, the top level, RAILS_MAX_THREADS" do
      options = settings({ environment: "staging", concurrency: 9 }, "RAILS_MAX_THREADS" => "7").options
      expect(options).to include(concurrency: 9, timeout: 2, tag: "f", labels: ["a"], lease_seconds: 30)
      expect(options).not_to have_key(:staging)
    end

    it "reads RAILS_MAX_THREADS when nobody else speaks of threads" do
      File.delete("config/sidekiq.yml")
      expect(settings({}, "RAILS_MAX_THREADS" => "7").concurrency).to eq(7)
      expect(refusal({}, "RAILS_MAX_THREADS" => "many")).to eq('RAILS_MAX_THREADS: "many" is not a whole number')
    end

    it "reads the file of -C and no other" do
      write("other.yml", "timeout: 4")
      found = settings({ config_file: "other.yml" })
      expect(found.files).to eq(["other.yml"])
      expect(found.options).to include(timeout: 4)
      expect(found.options).not_to have_key(:lease_seconds)
    end

    it "looks beside the application given with -r" do
      write("sub/config/sidekiq.yml.erb", "timeout: <%= 40 + 2 %>")
      expect(settings({ require: "sub" }).options[:timeout]).to eq(42)
    end
  end

  it "is verbose by -v, by file, or when systemd restarts for debugging" do
    expect(settings.verbose?).to be(false)
    expect(settings({ verbose: true }).verbose?).to be(true)
    expect(settings({}, "DEBUG_INVOCATION" => "1").verbose?).to be(true)
  end
end
