# frozen_string_literal: true

require "tmpdir"
require "support/ruby_process"
require_relative "../../../tests/support/clean_environment"

##
# Boots the server side in a process of its own, in a folder with the files that a test wants. Loading the
# sidekiq gem's command line, and the application, change a process for good.
module BootProcess
  include RubyProcess

  # What a script finds: `boot(typed)` loads the application as `footplate` would, `without_gem!` makes it one
  # without the sidekiq gem, and `status(:run, typed)` goes through the command line with a launcher that only
  # prints "LAUNCHED".
  PRELUDE = <<~'RUBY'
    module Footplate
      module Server
        class Launcher
          def initialize(facade:, settings:) = puts("MADE")
          def run = puts("LAUNCHED") || 0
        end
      end
    end
    require "footplate/server/cli"
    require "footplate/server/run/engine_config"

    def without_gem!
      Footplate::Server::Application.define_singleton_method(:prepare) { ($stdout.sync = true) && Footplate.server! && false }
    end

    def boot(typed = {}, notify: false)
      Footplate::Server::Boot.new(typed).tap { |boot| boot.load_application(notify: notify) }
    end

    def engine_config(boot) = JSON.parse(Footplate::Server::EngineConfig.new(boot.settings, boot.facade).to_json)

    def status(command, typed = {}) = Footplate::CLI.new(typed).public_send(command)
  RUBY

  # @param files [Hash{String => String}] path and content
  # @return what the script gave to `answer`
  def in_application(files, script, env = {})
    in_folder(files) { |dir| run_ruby("Dir.chdir(#{dir.inspect})\n#{PRELUDE}\n#{script}", clean(env)) }
  end

  # The same once `app` is loaded: the script finds `booted` and `facade`.
  def with_app(app, script, typed = { require: "app.rb" }, files: {}, env: {})
    script = "booted = boot(#{typed.inspect})\nfacade = booted.facade\n#{script}"
    in_application({ "app.rb" => app }.merge(files), script, env)
  end

  # @return [Array(String, Integer)] everything the script printed, and its exit status
  def output_of(files, script, env = {})
    in_folder(files) do |dir|
      code = "require 'json'; #{PRELUDE}\n#{script}"
      out, status = Open3.capture2e(clean(env), RbConfig.ruby, "-I#{RubyProcess::LIB}", "-", stdin_data: code,
                                                                                             chdir: dir)
      [out, status.exitstatus]
    end
  end

  private

  def in_folder(files)
    Dir.mktmpdir("footplate-app") do |dir|
      files.each do |path, content|
        FileUtils.mkdir_p(File.dirname(File.join(dir, path)))
        File.write(File.join(dir, path), content)
      end
      yield File.realpath(dir)
    end
  end

  # The gems are the suite's.
  def clean(env)
    CleanEnvironment.without(CleanEnvironment::SETTINGS).merge(env)
  end
end
