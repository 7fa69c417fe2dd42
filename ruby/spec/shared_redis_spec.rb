# frozen_string_literal: true

# What an application tells Footplate alone about Redis counts for the sidekiq gem, whichever was loaded first.
RSpec.describe "Redis in a process that pushes with both clients", :sidekiq_gem do
  # No connection is opened: the port is nobody's.
  prelude = <<~RUBY
    ENV["REDIS_URL"] = "redis://127.0.0.1:1/0"
    require "footplate"
    def database
      pool = Sidekiq.respond_to?(:default_configuration) ? Sidekiq.default_configuration.redis_pool : Sidekiq.redis_pool
      pool.with { |it| it.respond_to?(:_client) ? it._client.db : it.config.db }
    end
    def tell_footplate = Footplate.configure { |config| config.redis = { url: "redis://127.0.0.1:1/3" } }
    def tell_sidekiq = Sidekiq.configure_client { |config| config.redis = { url: "redis://127.0.0.1:1/5" } }
  RUBY

  {
    "is configured after Sidekiq was loaded" => ["require 'sidekiq'; tell_footplate", 3],
    "is configured before, and something is pushed" => ["tell_footplate; require 'sidekiq'; Footplate.redis_pool", 3],
    "is left to Sidekiq where that has its own" =>
      ["tell_footplate; require 'sidekiq'; tell_sidekiq; Footplate.redis_pool", 5],
    "is left to Sidekiq where that is told later" =>
      ["tell_footplate; require 'sidekiq'; Footplate.redis_pool; tell_sidekiq", 5]
  }.each do |title, (code, db)|
    it(title) { expect(run_ruby("#{prelude}\n#{code}\nanswer(database)")).to eq(db) }
  end

  it "is the same in Rails, where an initializer may load Sidekiq after Footplate's", :rails do
    expect(run_ruby(<<~RUBY)).to eq(3)
      require "rails"
      #{prelude}
      class App < Rails::Application
        config.eager_load = false
        config.logger = Logger.new(File::NULL)
        initializer("footplate") { tell_footplate }
        initializer("later") { require "sidekiq" }
      end
      App.initialize!
      answer(database)
    RUBY
  end
end
