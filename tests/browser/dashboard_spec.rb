# frozen_string_literal: true

# Sidekiq's own dashboard over the demo application: does a person who looks at it see our process as they would see
# Sidekiq's, and do its buttons work? The server is FOOTPLATE_SERVER, by default bin/footplate of this checkout.
require_relative "support/dashboard"

# In order: the first examples look, the last ones quiet the process and stop it.
RSpec.describe "Sidekiq::Web over the demo application", order: :defined do
  include_context "with a dashboard"

  let(:row) { "//tr[contains(., ':#{pid}')]" }

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
      expect(counts["Processed"]).to be >= 34
      expect(counts["Failed"]).to be >= 4
      expect(counts).to include("Busy" => 3, "Enqueued" => 5, "Scheduled" => 4, "Dead" => 2)
    end
  end

  it "draws what was done by day" do
    only_from 7 # before, by scripts that the packaged gem lacks
    eventually("") { expect(chart("historyChart").transform_values(&:sum)).to eq(counts.slice("Processed", "Failed")) }
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

  it "shows the error and the times of a job that waits for its retry" do
    eventually("retries") do
      page.click("//tr[contains(., 'no-such-order')]//a[contains(@href, '/retries/')]")
      expect(rows).to include(/Error Class ActiveRecord::RecordNotFound/, /Arguments "no-such-order-\d", -1/)
      created_enqueued_failed_and_next = times
      expect(created_enqueued_failed_and_next.size).to eq(4)
      expect(created_enqueued_failed_and_next).to all(be_within(120).of(0))
    end
  end

  it "runs a dead job again by the button on its page, and buries it again when it fails again" do
    link = "//tr[contains(., 'fraud-0')]//a[contains(@href, '/morgue/')]"
    before = nil
    eventually("morgue") do
      before = page.attribute(link, "href")
      page.click(link)
      expect(rows).to include(/Error Class FraudCheckJob::Suspicious/)
      created_enqueued_and_last_run = times
      expect(created_enqueued_and_last_run.size).to eq(3)
      expect(created_enqueued_and_last_run).to all(be_within(120).of(0))
    end
    page.click("//input[@name='retry']")
    eventually("morgue") { expect(page.attribute(link, "href")).not_to eq(before) } # it has the time of death
    eventually("morgue") { expect(counts).to include("Dead" => 2, "Failed" => be >= 5) }
  end

  it "shows and draws metrics per job class" do
    only_from 7
    eventually("metrics") do
      expect(rows).to include(/\AReceiptJob 20 [2-9]/, /\AShipmentJob 10 0/, /\AFraudCheckJob 0 3/)
      drawn = chart("jobMetricsChart").transform_values(&:sum)
      expect(drawn).to include("ReceiptJob" => be_positive, "ShipmentJob" => be_positive, "FraudCheckJob" => 0)
    end
  end

  # Sidekiq 8 reads the longer ones from other keys.
  it "shows metrics for each period that the page offers" do
    only_from 7
    eventually("metrics") { expect(page.texts("#period-selector option")).to include("1h", "8h") }
    page.texts("#period-selector option").each do |period|
      eventually("metrics?period=#{period}") do
        expect(rows).to include(/\AReceiptJob 20 [2-9]/, /\AShipmentJob 10 0/)
        expect(chart("jobMetricsChart")["ShipmentJob"].sum).to be_positive
      end
    end
  end

  it "draws how long the jobs of one class took" do
    only_from 7
    eventually("metrics/ShipmentJob") do
      expect(chart("histTotalsChart").values.sum(&:sum)).to eq(10)
      expect(chart("histBubbleChart").values.sum(&:sum)).to eq(10)
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
