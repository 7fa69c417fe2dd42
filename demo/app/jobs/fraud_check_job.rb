# frozen_string_literal: true

# Always fails and may not be retried: goes straight to the dead set.
class FraudCheckJob
  include Sidekiq::Job
  sidekiq_options queue: "shop_critical", retry: 0

  Suspicious = Class.new(StandardError)

  def perform(id)
    Ledger.attempt(id)
    raise Suspicious, "#{id} needs a person to look at it"
  end
end
