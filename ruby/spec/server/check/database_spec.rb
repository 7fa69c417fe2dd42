# frozen_string_literal: true

require "spec_helper"

# Whether the database has a connection for each thread, as `footplate check` tells it.
RSpec.describe "footplate check and the database", if: %w[activerecord sqlite3].all? { InstalledGems.has?(_1) } do
  it "compares each pool with the threads, and connects to none" do
    without, enough, short, two, connected = run_ruby(<<~RUBY)
      require "active_record"
      require "footplate/server/check/database"
      look = ->(threads) { Footplate::Server::Check::Database.warnings(threads) }
      base = ActiveRecord::Base
      without = look.call(10)
      base.configurations = { "production" => {
        "primary" => { "adapter" => "sqlite3", "database" => "/nowhere/shop.sqlite3", "pool" => 5 },
        "events" => { "adapter" => "sqlite3", "database" => "/nowhere/events.sqlite3", "pool" => 1 }
      } }
      config = ->(name) { base.configurations.configs_for(env_name: "production", name: name) }
      base.establish_connection(config.call("primary"))
      enough = look.call(5)
      short = look.call(6)
      class Event < base
        self.abstract_class = true
      end
      Event.establish_connection(config.call("events"))
      answer([without, enough, short, look.call(6), base.connection_handler.active_connections?(base.current_role)])
    RUBY
    expect([without, enough]).to eq([[], []])
    expect(short).to match([/\ADatabase primary: its pool has 5 connections for 6 threads, .* set pool to 6 or more/])
    expect(two).to match([/primary/, /\ADatabase events: its pool has 1 connection for 6 threads/])
    expect(connected).to be_falsey
  end
end
