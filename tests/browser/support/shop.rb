# frozen_string_literal: true

require "bundler"
require "fileutils"
require "open3"
require "shellwords"
%w[redis_server child shop web_server].each { |file| require_relative "../../../demo/lib/demo/#{file}" }

# The demo application with a Redis, a server and Sidekiq::Web, each of them its own process and ours.
class BrowserShop
  ROOT = File.expand_path("../../..", __dir__)
  TARGET = File.join(ROOT, "target/browser")
  SEED = File.join(__dir__, "seed.rb")
  SERVER = ENV.fetch("FOOTPLATE_SERVER", File.join(ROOT, "bin/footplate")).shellsplit

  attr_reader :server, :web

  def initialize
    FileUtils.rm_rf(TARGET)
    FileUtils.mkdir_p(File.join(TARGET, "log"))
    FileUtils.cp(File.join(ROOT, "demo/Gemfile"), TARGET)
    ENV["BUNDLE_GEMFILE"] = File.join(TARGET, "Gemfile")
    Demo::Shop.settle_in(TARGET)
    @children = []
    ENV["REDIS_URL"] = own(Demo::RedisServer.new(log: log("redis"))).url
    rails("db:migrate")
    seed("everything")
    start
  rescue StandardError
    stop
    raise
  end

  def dashboard(page = "")
    "#{@web.url}/sidekiq/#{page}"
  end

  # Runs one method of seed.rb inside the application; what it prints comes back.
  def seed(what)
    rails("runner", "require #{SEED.dump}; Seed.#{what}")
  end

  def stop
    @children.reverse_each(&:stop)
  end

  def log(name)
    File.join(TARGET, "log/#{name}.log")
  end

  private

  def start
    command = ["bundle", "exec", *SERVER, "-C", "config/sidekiq.yml", "-e", "production", "-r", "."]
    @server = own(Demo::Shop.spawn do |env|
                    Demo::Child.new(SERVER.first, command, log: log("server"), chdir: Demo::Shop::APP, env:)
                  end)
    @web = own(Demo::Shop.spawn { |env| Demo::WebServer.start(log: log("web"), env:) })
  end

  def own(child)
    @children << child
    child
  end

  def rails(*arguments)
    command = ["bundle", "exec", "ruby", "bin/rails", *arguments]
    out, status = Demo::Shop.spawn { |env| Open3.capture2e(env, *command, chdir: Demo::Shop::APP) }
    raise "rails #{arguments.first} failed:\n#{out}" unless status.success?

    out
  end
end
