# frozen_string_literal: true

module Footplate
  module Job
    ##
    # Runs one job in the calling thread as a server would run it, but without Redis, retries and logging. For
    # tests, consoles and `set(sync: true)`.
    module Inline
      class << self
        # @param item [Hash{String => Object}] as for Client#push
        # @return [true, nil] nil when a middleware kept it from running
        def run(item)
          payload = Payload.build(item)
          payload = client_side(payload)
          return unless payload

          StrictArgs.check(payload, Footplate.config.strict_args)
          # Through JSON, so that the job sees what it would see on a server.
          server_side(JSON.parse(Payload.dump(payload)))
        end

        private

        def client_side(payload)
          chain = Footplate.config.client_middleware
          chain.invoke(payload["class"], payload, payload["queue"], Footplate.redis_pool) { payload }
        end

        def server_side(payload)
          job = Object.const_get(payload["class"]).new
          job.jid = payload["jid"]
          ran = Footplate.config.server_middleware.invoke(job, payload, payload["queue"]) do
            job.perform(*payload["args"])
            true
          end
          true if ran
        end
      end
    end
  end
end
