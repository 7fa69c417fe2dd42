# frozen_string_literal: true

require "spec_helper"
require "support/boot_process"
require "footplate/server/facade"

RSpec.describe Footplate::Server::Facade, "Redis", if: InstalledGems.has?("sidekiq") do
  include BootProcess

  it "reads where Redis is without connecting" do
    found = with_app(<<~APP, "answer [facade.redis_settings, facade.redis_description]")
      require "sidekiq"
      Sidekiq.configure_server { |config| config.redis = {url: "rediss://u:p@nowhere.invalid:7/4", ssl_params: {verify_mode: 0}} }
    APP
    expect(found[0]).to include("host" => "nowhere.invalid", "port" => 7, "db" => 4, "username" => "u",
                                "password" => "p",
                                "tls" => { "verify" => false })
    expect(found[1]).to eq("rediss://nowhere.invalid:7/4")
  end

  it "reads sentinels without asking them" do
    master = InstalledGems.sidekiq_major == 6 ? 'url: "redis://main/1"' : 'url: "redis://main/1", name: "main"'
    found = with_app(<<~APP, "answer facade.redis_settings")
      require "sidekiq"
      Sidekiq.configure_server do |config|
        config.redis = {#{master}, sentinels: [{host: "a.invalid", port: 1}, {host: "b.invalid", port: 2, password: "s"}], role: :master}
      end
    APP
    expect(found).to include("name" => "main", "db" => 1)
    expect(found["sentinels"]).to eq([{ "host" => "a.invalid", "port" => 1 },
                                      { "host" => "b.invalid", "port" => 2, "password" => "s" }])
    expect(found).not_to have_key("host")
  end

  it "follows REDIS_URL and REDIS_PROVIDER" do
    env = { "REDIS_PROVIDER" => "MINE", "MINE" => "unix:///run/mine.sock", "REDIS_URL" => "redis://other" }
    found = with_app("require 'sidekiq'", "answer facade.redis_settings", env: env)
    expect(found).to include("path" => "/run/mine.sock")
    expect(with_app("require 'sidekiq'", "answer facade.redis_settings", env: { "REDIS_URL" => "redis://here:9/2" }))
      .to include("host" => "here", "port" => 9, "db" => 2)
  end
end
