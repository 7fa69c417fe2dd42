# frozen_string_literal: true

# Active Job that fails once and is retried by Active Job itself (`retry_on`), not by the engine's retry set.
class StockJob < ApplicationJob
  WarehouseBusy = Class.new(StandardError)
  retry_on WarehouseBusy, wait: 1, attempts: 3

  def perform(id)
    raise WarehouseBusy, "the warehouse is counting" if Ledger.attempt(id) == 1

    Ledger.effect(id)
  end
end
