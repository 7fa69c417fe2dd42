# frozen_string_literal: true

require "spec_helper"
require "support/boot_process"
require "footplate/server/replaced_parts"

RSpec.describe Footplate::Server::ReplacedParts, sidekiq_gem: true do
  include BootProcess

  def parts_of(app)
    script = "answer boot({require: 'app.rb'}).replaced_parts.map { |part| [part.part, part.by, part.used] }"
    in_application({ "app.rb" => "require 'sidekiq'\nrequire 'sidekiq/processor'\n#{app}" }, script)
  end

  let(:store) { "(Sidekiq::VERSION.to_i >= 7 ? Sidekiq.default_configuration : Sidekiq.options)" }
  let(:fetch) { InstalledGems.sidekiq_major == 6 ? "fetch" : "fetch_class" }

  it "finds nothing where nothing was changed" do
    expect(parts_of("class MyJob; include Sidekiq::Worker; end")).to be_empty
  end

  it "finds classes in options" do
    value = fetch == "fetch" ? "Mine.new" : "Mine"
    found = parts_of("class Mine; end; class Lines; end; #{store}[:#{fetch}] = #{value}; #{store}[:job_logger] = Lines")
    expect(found).to contain_exactly([fetch, "Mine", false], ["job_logger", "Lines", true])
  end

  it "finds modules in front of the gem's classes" do
    found = parts_of(<<~APP)
      module Traced; def process_one(*) = super; end
      module Cron; def run(*, **) = super; end
      Sidekiq::Processor.prepend(Traced)
      Sidekiq::Launcher.prepend(Cron)
    APP
    expect(found).to contain_exactly(["Sidekiq::Processor", "Traced", false], ["Sidekiq::Launcher", "Cron", true])
  end

  it "finds methods that were written over" do
    found = parts_of("class Sidekiq::BasicFetch; def retrieve_work = nil; end")
    expect(found).to match([["Sidekiq::BasicFetch", a_string_ending_with("/app.rb"), false]])
  end

  it "uses a job logger that was changed" do
    app = "require 'sidekiq/job_logger'; module Quiet; def call(*) = yield; end; Sidekiq::JobLogger.prepend(Quiet)"
    expect(parts_of(app)).to eq([["Sidekiq::JobLogger", "Quiet", true]])
    script = "answer boot({require: 'app.rb'}).facade.job_logger.name"
    expect(in_application({ "app.rb" => "require 'sidekiq'; #{app}" }, script)).to eq("Sidekiq::JobLogger")
  end

  it "tells each with a sentence" do
    app = "require 'sidekiq'; module P; end; Sidekiq::Client.prepend(P)"
    script = "answer boot({require: 'app.rb'}).replaced_parts.map(&:to_s)"
    expect(in_application({ "app.rb" => app }, script))
      .to contain_exactly(/\ASidekiq::Client \(P\): called for pushes from jobs, but not .*\.\z/)
  end
end
