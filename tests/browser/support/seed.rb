# frozen_string_literal: true

# What the dashboard has to show, enqueued from inside the application. Run by `rails runner`.
module Seed
  HELD = 3

  module_function

  def everything
    order = Order.create!(number: "browser", total_cents: 100)
    HELD.times { |n| HoldJob.perform_async("hold-#{n}") }
    20.times { |n| ReceiptJob.perform_async("receipt-#{n}", order.id) }
    10.times { |n| ShipmentJob.perform_later("shipment-#{n}", order) }
    2.times { |n| FraudCheckJob.perform_async("fraud-#{n}") } # to the dead set
    2.times { |n| ReceiptJob.perform_async("no-such-order-#{n}", -1) } # fails, to be retried for weeks
    4.times { |n| ReminderJob.perform_in(3600 + n, "reminder-#{n}", Time.now.to_f + 3600) }
    5.times { |n| ReceiptJob.set(queue: "unserved").perform_async("unserved-#{n}", order.id) }
  end

  def one_more
    PaymentJob.perform_async("too-late")
  end

  def open_gates
    HELD.times { |n| Ledger.redis("SET", "demo:gate:hold-#{n}", 1) }
  end
end
