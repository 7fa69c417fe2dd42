# frozen_string_literal: true

# A plain Sidekiq job: reads a record, has its effect.
class ReceiptJob
  include Sidekiq::Job
  sidekiq_options queue: "shop_mailers"

  def perform(id, order_id)
    Ledger.attempt(id)
    Order.find(order_id)
    Ledger.effect(id)
  end
end
