# frozen_string_literal: true

# Active Job, scheduled with `set(wait:)`: records how late it ran.
class SurveyJob < ApplicationJob
  queue_as :shop_mailers

  def perform(id, due)
    Ledger.late(id, due)
    Ledger.attempt(id)
    Ledger.effect(id)
  end
end
