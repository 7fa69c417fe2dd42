# frozen_string_literal: true

# Active Job with a record as argument (through GlobalID), which it changes.
class ShipmentJob < ApplicationJob
  def perform(id, order)
    Ledger.attempt(id)
    order.ship!
    Ledger.effect(id)
  end
end
