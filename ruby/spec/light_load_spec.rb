# frozen_string_literal: true

RSpec.describe "require \"footplate\"" do
  look = <<~RUBY
    before = $LOADED_FEATURES.dup
    sockets = -> { Dir["/proc/self/fd/*"].count { |fd| File.readlink(fd).start_with?("socket:") rescue false } }
    sockets_before = sockets.call
    require "footplate"
    answer(
      loaded: ($LOADED_FEATURES - before).map { |path| path.sub(/.*\\/(lib|vendor_ruby)\\//, "") },
      threads: Thread.list.size,
      sockets: sockets.call - sockets_before
    )
  RUBY

  it "starts no thread, opens no connection and loads nothing but itself" do
    expect(run_ruby(look)).to eq(
      "loaded" => %w[footplate/version.rb footplate/integration.rb footplate.rb], "threads" => 1, "sockets" => 0
    )
  end

  it "loads only the hooks' file of Active Support when Active Job is in the bundle", :active_job do
    seen = run_ruby("gem 'activejob'\n#{look}")

    expect(seen["loaded"].grep_v(/footplate/)).to eq(["active_support/lazy_load_hooks.rb"])
    expect(seen).to include("threads" => 1, "sockets" => 0)
  end

  it "opens no connection when jobs are defined and Redis is configured" do
    script = <<~RUBY
      require "footplate"
      Footplate.configure { |c| c.redis = { url: "redis://127.0.0.1:1/0" }; c.client_middleware { |chain| chain.clear } }
      class Probe
        include Footplate::Job
        footplate_options queue: "probe"
      end
      Footplate::Client.new
      answer(threads: Thread.list.size, gems: $LOADED_FEATURES.grep(/redis_client|redis\\/client|connection_pool/))
    RUBY

    expect(run_ruby(script)).to eq("threads" => 1, "gems" => [])
  end
end
