# frozen_string_literal: true

require "footplate/redis/connection"
require "footplate/redis/options"
require "footplate/redis/pool"

module Footplate
  ##
  # The client side's way to Redis: a fork-safe pool of connections over the redis-client gem or, where an
  # application has only that, the redis gem. Ruby's own jobs and web requests use it; the engine has its own
  # connections and never comes through here.
  module Redis
    class << self
      # Yields a connection of `pool`, which may also be a pool made by the application or by Sidekiq.
      #
      # The block is run a second time, on a new connection, when the server answered READONLY, NOREPLICAS or
      # UNBLOCKED: after a failover an open connection may still lead to the old primary (Sidekiq does the same).
      # @param pool [#with]
      # @yieldparam conn [Connection]
      def with(pool)
        pool.with do |raw|
          connection = Connection.wrap(raw)
          begin
            yield connection
          rescue StandardError => e
            raise unless Connection.primary_lost?(e)

            connection.close
            yield connection
          end
        end
      end
    end
  end
end
