# frozen_string_literal: true

class OrdersController < ActionController::Base
  def index
    render plain: "#{Order.count} orders, #{Order.shipped.count} shipped. The dashboard: /sidekiq\n"
  end

  # curl -X POST localhost:3000/orders
  skip_forgery_protection only: :create

  def create
    order = Order.create!(number: "web-#{SecureRandom.hex(4)}", total_cents: 4200)
    ReceiptJob.perform_async("receipt-#{order.number}", order.id)
    ShipmentJob.perform_later("shipment-#{order.number}", order)
    render plain: "Order #{order.number}: a receipt and a shipment are on their way\n", status: :created
  end
end
