# frozen_string_literal: true

module Demo
  # Enqueues the shop's work as an application does: through Sidekiq's client and through Active Job. Each job is in the
  # ledger before it is in Redis, so a job that vanished on the way is a job that is missing.
  class Enqueuer
    ORDERS = 200

    def orders
      @orders ||= begin
        Order.delete_all
        Order.insert_all(Array.new(ORDERS) { |n| { number: "order-#{n}", total_cents: 500 + n } })
        Order.order(:id).to_a
      end
    end

    # Ready to run at once: what waits in the queues when the server starts.
    def backlog
      bulk("receipt", 4_000) { |id, order| [id, order.id] }
      each("receipt-single", 500) { |id, order| ReceiptJob.perform_async(id, order.id) }
      each("shipment", 1_200) { |id, order| ShipmentJob.perform_later(id, order) }
      all_later("shipment-all", 500)
    end

    # With the server running: jobs for later, jobs that fail and come back, jobs that fail for good.
    def live
      each("payment", 90) { |id, _order| PaymentJob.perform_async(id) }
      each("fraud", 10) { |id, _order| FraudCheckJob.perform_async(id) }
      each("stock", 50) { |id, _order| StockJob.perform_later(id) }
      scheduled("reminder", 400) { |id, delay| ReminderJob.perform_in(delay, id, Time.now.to_f + delay) }
      scheduled("survey", 250) { |id, delay| SurveyJob.set(wait: delay).perform_later(id, Time.now.to_f + delay) }
    end

    def ways
      ["perform_bulk", "perform_async", "perform_later", *("perform_all_later" if bulk_active_job?)]
    end

    private

    def bulk_active_job?
      ActiveJob.respond_to?(:perform_all_later)
    end

    def expect(kind, count)
      ids = Array.new(count) { |n| "#{kind}-#{n}" }
      Ledger.expect(ids, kind)
      ids.zip(orders.cycle)
    end

    def each(kind, count, &block)
      expect(kind, count).each(&block)
    end

    def bulk(kind, count, &block)
      ReceiptJob.perform_bulk(expect(kind, count).map(&block))
    end

    # perform_all_later came with Rails 7.1; before, one by one.
    def all_later(kind, count)
      jobs = expect(kind, count).map { |id, order| ShipmentJob.new(id, order) }
      bulk_active_job? ? ActiveJob.perform_all_later(jobs) : jobs.each(&:enqueue)
    end

    # Spread over 2 to 8 seconds from now, at fractions of a second.
    def scheduled(kind, count)
      expect(kind, count).each_with_index { |(id, _), n| yield id, 2 + (6.0 * n / count) }
    end
  end
end
