# frozen_string_literal: true

require_relative "browser"
require_relative "shop"
require_relative "../../support/waiting"

# What an example says about the dashboard, and the one shop and browser that all of them look at.
RSpec.shared_context "with a dashboard" do
  include Waiting

  before(:context) do
    skip Browser.missing if Browser.missing
    @screenshots = File.join(BrowserShop::ROOT, "target/screenshots")
    FileUtils.rm_rf(@screenshots)
    FileUtils.mkdir_p(@screenshots)
    @shop = BrowserShop.new
    @browser = Browser.new(log: @shop.log("chromedriver"))
  end

  after(:context) do
    @browser&.stop
    @shop&.stop
  end

  let(:page) { @browser.driver }
  let(:pid) { @shop.server.pid }

  # Loads the page until the block is content with it; a screenshot of its last state is kept either way. Between two
  # looks there is a pause: loading pages without one would starve the server on a small machine.
  def eventually(path, within: 40, stopping: false, &block)
    super("the page #{path}", within: within, look: 0.25) do
      @shop.server.check! unless stopping
      content?(@shop.dashboard(path), &block)
    end
  ensure
    page.screenshot(File.join(@screenshots, "#{"#{RSpec.current_example.description} #{path}".tr("^a-z0-9", "-")}.png"))
  end

  def content?(url)
    page.visit(url)
    yield
    true
  rescue RSpec::Expectations::ExpectationNotMetError, WebDriver::Failure => e
    @discontent = e
    false
  end

  def circumstances
    @discontent&.message
  end

  def rows
    page.texts("tbody tr")
  end

  def process_row
    page.texts("tr").find { |text| text.include?(":#{pid}") }
  end

  # The numbers at the top of every page, by their names.
  def counts
    pairs = page.text.scan(/^(\d+)\s+(Processed|Failed|Busy|Enqueued|Retries|Scheduled|Dead)\b/)
    pairs.to_h(&:reverse).transform_values(&:to_i)
  end

  # Of a page about one job: when it was created, enqueued and so on, in seconds from now. What a page writes for people
  # may be "2 minutes ago" or a date; beside it stands the time itself.
  def times
    page.evaluate("return Array.from(document.querySelectorAll('tbody time'), e => Date.parse(e.dateTime) / 1000)")
        .map { |time| time - Time.now.to_f }
  end

  # What one of the page's charts draws: the values of each of its lines, by the line's name. Ends its animation, for
  # the screenshot.
  def chart(name)
    sets = page.evaluate("const chart = window.#{name}.chart; chart.stop(); chart.update('none'); " \
                         "return chart.data.datasets.map(set => [set.label, set.data])")
    sets.to_h.transform_values do |points|
      points.map { |point| point.is_a?(Hash) ? point["count"] || point["y"] : Array(point).last }
    end
  end

  def only_from(version)
    eventually("") { expect(page.text).to match(/Sidekiq v\d/) }
    skip "they came with Sidekiq #{version}" if page.text[/Sidekiq v(\d+)/, 1].to_i < version
  end
end
