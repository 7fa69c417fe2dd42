# frozen_string_literal: true

require "tmpdir"
require "footplate/server/boot/settings"

# Settings in an empty folder of their own, with the files that a test writes there.
module SettingsFolder
  def self.included(group)
    group.around { |example| Dir.mktmpdir { |dir| Dir.chdir(dir) { example.run } } }
  end

  def write(path, text)
    FileUtils.mkdir_p(File.dirname(path))
    File.write(path, text)
  end

  def settings(typed = {}, env = {})
    Footplate::Server::Settings.new(typed, env: env)
  end

  def refusal(typed = {}, env = {})
    settings(typed, env)
    raise "nothing was refused"
  rescue Footplate::Server::BootError => e
    e.message
  end

  # What the text says as config/sidekiq.yml.
  def from(text, environment = nil)
    write("config/sidekiq.yml", text)
    settings({ environment: environment }.compact)
  end
end
