# frozen_string_literal: true

# Stays busy until somebody pushes to its gate (or two minutes have passed): for looking at the Busy page.
class HoldJob
  include Sidekiq::Job
  sidekiq_options queue: "shop_critical", retry: false

  def perform(id)
    Ledger.attempt(id)
    deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + 120
    until open?(id) || Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline
      sleep 0.1 # the work itself: this job does nothing but take time
    end
    Ledger.effect(id)
  end

  private

  def open?(id)
    Ledger.redis("EXISTS", "demo:gate:#{id}") == 1
  end
end
