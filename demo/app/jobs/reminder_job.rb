# frozen_string_literal: true

# A scheduled Sidekiq job: knows when it is due and records how late it ran.
class ReminderJob
  include Sidekiq::Job
  sidekiq_options queue: "shop_mailers"

  def perform(id, due)
    Ledger.late(id, due)
    Ledger.attempt(id)
    Ledger.effect(id)
  end
end
