# frozen_string_literal: true

# Active Job over the real Sidekiq's adapter.
ActiveJob::Base.queue_adapter = :sidekiq
ActiveJob::Base.logger = nil

class WrappedJob < ActiveJob::Base
  queue_as :low

  def perform(id, *)
    Ledger.mark(id)
  end
end

class WrappedFailure < ActiveJob::Base
  queue_as :last

  def perform(id)
    Ledger.mark(id)
    raise "wrapped #{id}"
  end
end

class WrappedDiscard < ActiveJob::Base
  discard_on(KeyError)

  def perform(id)
    Ledger.mark(id)
    raise KeyError, "discarded"
  end
end
