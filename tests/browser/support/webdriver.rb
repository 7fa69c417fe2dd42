# frozen_string_literal: true

require "base64"
require "json"
require "net/http"
require_relative "../../../demo/lib/demo/child" # for Demo.now

# As much of the W3C WebDriver protocol as the test needs, spoken to chromedriver over plain HTTP: no gem to install.
class WebDriver
  Failure = Class.new(StandardError)
  ELEMENT = "element-6066-11e4-a52e-4f735466cecf" # the protocol's name for a reference to an element

  # Headless, and silent on the network: nothing of the browser itself may call out while it is under test.
  ARGUMENTS = %w[--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
                 --disable-component-update --disable-sync --disable-dev-shm-usage --hide-scrollbars
                 --window-size=1280,1400].freeze

  def initialize(url, profile:)
    @http = URI(url)
    options = { "args" => [*ARGUMENTS, *("--user-data-dir=#{profile}" if profile)] }
    options["binary"] = ENV["CHROMIUM"] if ENV["CHROMIUM"]
    wanted = { "browserName" => "chrome", "goog:chromeOptions" => options }
    @session = request(:post, "/session", "capabilities" => { "alwaysMatch" => wanted }).fetch("sessionId")
  end

  def visit(url)
    call(:post, "/url", "url" => url)
  end

  def text
    call(:get, "/element/#{find("css selector", "body")}/text")
  end

  # One page load and one look: where it stands when asked, in a page that a button may be replacing, is tried again.
  def texts(css)
    evaluate("return Array.from(document.querySelectorAll(#{css.to_json}), " \
             "e => e.innerText.replace(/\\s+/g, ' ').trim())")
  end

  def evaluate(script)
    call(:post, "/execute/sync", "args" => [], "script" => script)
  end

  def attribute(xpath, name)
    call(:get, "/element/#{find("xpath", xpath)}/attribute/#{name}")
  end

  # On a link or a button that leads to another page; returns when that is there. The driver's own click may return
  # before a form is on its way, and the next visit would then take its place.
  def click(xpath)
    evaluate("window.stillHere = true")
    call(:post, "/element/#{find("xpath", xpath)}/click", {})
    deadline = Demo.now + 10
    until evaluate("return !window.stillHere && document.readyState === 'complete'")
      raise Failure, "the click on #{xpath} led nowhere" if Demo.now > deadline

      sleep 0.02
    end
  end

  def screenshot(path)
    File.binwrite(path, Base64.decode64(call(:get, "/screenshot")))
  end

  # What the page's scripts complained about.
  def script_errors
    call(:post, "/se/log", "type" => "browser").select { |entry| entry["level"] == "SEVERE" }
  end

  def quit
    request(:delete, "/session/#{@session}")
  end

  private

  def find(using, value)
    call(:post, "/element", "using" => using, "value" => value).fetch(ELEMENT)
  end

  def call(verb, path, body = nil)
    request(verb, "/session/#{@session}#{path}", body)
  end

  def request(verb, path, body = nil)
    message = Net::HTTP.const_get(verb.capitalize).new(path, "Content-Type" => "application/json")
    message.body = JSON.generate(body) if body
    answer = Net::HTTP.start(@http.host, @http.port, read_timeout: 90) { |http| http.request(message) }
    value = JSON.parse(answer.body).fetch("value")
    raise Failure, "#{value["error"]}: #{value["message"]}" if value.is_a?(Hash) && value.key?("error")

    value
  end
end
