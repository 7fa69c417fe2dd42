# frozen_string_literal: true

# Fails the first time, as payment gateways do, and succeeds when Sidekiq retries it.
class PaymentJob
  include Sidekiq::Job
  sidekiq_options queue: "shop_critical", retry: 3
  sidekiq_retry_in { 1 } # Sidekiq adds up to 9 s of jitter to the first retry

  GatewayTimeout = Class.new(StandardError)

  def perform(id)
    raise GatewayTimeout, "the gateway did not answer" if Ledger.attempt(id) == 1

    Ledger.effect(id)
  end
end
