# frozen_string_literal: true

require "fileutils"
require "tmpdir"
require_relative "webdriver"
require_relative "../../../demo/lib/demo/child"
require_relative "../../../demo/lib/demo/web_server"

# A browser with a fresh profile and the chromedriver that drives it. With WEBDRIVER_URL, a chromedriver that runs
# already: that is how a release without Chromium (a chroot) is tested with the browser of its host.
class Browser
  def self.missing
    return if ENV["WEBDRIVER_URL"] || system("command -v chromedriver >/dev/null")

    "no chromedriver on this machine: tests/browser/setup installs it (or set WEBDRIVER_URL)"
  end

  attr_reader :driver

  def initialize(log:)
    # A driver elsewhere sees other directories: it then makes a fresh profile of its own, and removes it.
    @profile = Dir.mktmpdir("footplate-browser-") unless ENV["WEBDRIVER_URL"]
    @driver = WebDriver.new(ENV["WEBDRIVER_URL"] || start(log), profile: @profile)
  rescue StandardError
    stop
    raise
  end

  def stop
    @driver&.quit
  ensure
    @child&.stop(seconds: 10)
    FileUtils.rm_rf(@profile) if @profile
  end

  private

  def start(log)
    port = Demo::WebServer.free_port(0)
    @child = Demo::Child.new("chromedriver", ["chromedriver", "--port=#{port}"], log:)
    @child.wait_until("answer from chromedriver") { answers?(port) }
    "http://127.0.0.1:#{port}"
  end

  def answers?(port)
    Net::HTTP.get_response(URI("http://127.0.0.1:#{port}/status")).is_a?(Net::HTTPSuccess)
  rescue SystemCallError
    false
  end
end
