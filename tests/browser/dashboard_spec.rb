# frozen_string_literal: true

# Sidekiq's own dashboard over the demo application: does a person who looks at it see our process as they would see
# Sidekiq's, and do its buttons work? The server is FOOTPLATE_SERVER, by default bin/footplate of this checkout.
require_relative "support/browser"
require_relative "support/shop"

# In order: the first examples look, the last ones quiet the process and stop it.
RSpec.describe "Sidekiq::Web over the demo application", order: :defined do
  before(:context) do
    skip Browser.missing if Browser.missing
    @screenshots = File.join(BrowserShop::ROOT, "target/screenshots")
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
  let(:row) { "//tr[contains(., ':#{pid}')]" }

  # Loads the page until the block is content with it; a screenshot of its last state is kept either way.
  def eventually(path, within: 40, stopping: false)
    deadline = Demo.now + within
    begin
      @shop.server.check! unless stopping
      page.visit(@shop.dashboard(path))
      yield
    rescue RSpec::Expectations::ExpectationNotMetError, WebDriver::Failure
      raise if Demo.now > deadline

      sleep 0.25 # between two looks: loading pages without a pause would starve the server on a small machine
      retry
    end
  ensure
    page.screenshot(File.join(@screenshots, "#{"#{RSpec.current_example.description} #{path}".tr("^a-z0-9", "-")}.png"))
  end

  def rows
    page.texts("tbody tr")
  end

  def process_row
    page.texts("tr").find { |text| text.include?(":#{pid}") }
  end

  it "shows our process and its busy jobs on the busy page" do
    eventually("busy") do
      expect(process_row).to include("shop_critical", "shop_default", "shop_mailers")
      expect(rows.grep(/HoldJob/).map { |text| text[/hold-\d/] }).to contain_exactly("hold-0", "hold-1", "hold-2")
      expect(rows.grep(/HoldJob/)).to all(include("shop_critical"))
      expect(page.text).to match(/\b10\s+Threads/).and match(/\b3\s+Busy/).and match(/\b30%\s+Utilization/)
    end
  end

  it "counts what was done on the front page" do
    # 20 receipts, 10 shipments, 2 that died, 2 that wait for their retry; the held ones are still running
    eventually("") do
      numbers = page.text.scan(/^(\d+)\s+(Processed|Failed|Busy|Enqueued|Retries|Scheduled|Dead)\b/).to_h(&:reverse)
      expect(numbers["Processed"].to_i).to be >= 34
      expect(numbers["Failed"].to_i).to be >= 4
      expect(numbers).to include("Busy" => "3", "Enqueued" => "5", "Scheduled" => "4", "Dead" => "2")
    end
  end

  it "shows the queues and what waits in them" do
    eventually("queues") { expect(rows).to include(/\Aunserved 5\b/, /\Ashop_critical 0\b/, /\Ashop_mailers 0\b/) }
  end

  it "shows the waiting jobs of one queue" do
    eventually("queues/unserved") { expect(rows.grep(/ReceiptJob.*unserved-\d/).size).to eq(5) }
  end

  it "shows the jobs that wait for their retry" do
    eventually("retries") do
      expect(rows.grep(/ReceiptJob.*no-such-order-\d.*ActiveRecord::RecordNotFound/).size).to eq(2)
    end
  end

  it "shows the scheduled jobs" do
    eventually("scheduled") { expect(rows.grep(/ReminderJob.*reminder-\d/).size).to eq(4) }
  end

  it "shows the dead jobs and their errors" do
    eventually("morgue") { expect(rows.grep(/FraudCheckJob.*fraud-\d.*Suspicious/).size).to eq(2) }
  end

  it "shows metrics per job class" do
    eventually("") { expect(page.text).to match(/Sidekiq v\d/) }
    skip "this Sidekiq has no metrics page (they came with 7.0)" unless page.texts("a").include?("Metrics")

    eventually("metrics") do
      expect(rows).to include(/\AReceiptJob 20 [2-9]/, /\AShipmentJob 10 0/, /\AFraudCheckJob 0 2/)
    end
  end

  # Files that a distribution's package leaves out of the sidekiq gem are its own business ("network").
  it "finds nothing to complain about in the page's scripts" do
    eventually("busy") { expect(page.script_errors.reject { |entry| entry["source"] == "network" }).to be_empty }
  end

  it "quiets our process by the button on the busy page" do
    eventually("busy") { page.click("#{row}//button[@name='quiet']") }
    eventually("busy") { expect(process_row).to match(/\bquiet\b/) }
    @shop.seed("one_more") # a quiet process takes no new job and goes on with those it has
    eventually("busy") { expect(rows.grep(/HoldJob/).size).to eq(3) }
    eventually("queues") { expect(rows).to include(/\Ashop_critical 1\b/) }
  end

  it "stops our process by the button on the busy page" do
    @shop.seed("open_gates")
    eventually("busy") { page.click("#{row}//button[@name='stop']") }
    eventually("busy", stopping: true) { expect(process_row).to be_nil }
    expect(@shop.server.ended(within: 20)).to be(true)
    expect(@shop.server.status.exitstatus).to eq(0)
  end
end
