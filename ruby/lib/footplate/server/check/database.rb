# frozen_string_literal: true

require "footplate/server/boot/adapter_trouble"
require "footplate/server/text/secrets"

module Footplate
  module Server
    class Check
      ##
      # Whether Active Record has a connection for each thread. Opens none: a pool knows its size without.
      module Database
        module_function

        # @param threads [Integer]
        # @return [Array<String>]
        def warnings(threads)
          return [] unless defined?(::ActiveRecord::Base)

          pools.select { |pool| pool.size && pool.size < threads }.map { |pool| sentence(pool, threads) }
        rescue StandardError, LoadError => e
          # Loading Active Record loads Active Job's queue adapter, whose trouble has been reported.
          return [] if AdapterTrouble.sentence(e)

          # It may quote a URL.
          ["Active Record cannot say how many connections it has: #{Secrets.hide(e.message).lines.first&.chomp}"]
        end

        def pools
          base = ::ActiveRecord::Base
          base.connection_handler.connection_pool_list(base.current_role)
        end
        private_class_method :pools

        def sentence(pool, threads)
          count = pool.size == 1 ? "1 connection" : "#{pool.size} connections"
          "Database #{pool.db_config.name}: its pool has #{count} for #{threads} threads, which will wait for one " \
            "another; set pool to #{threads} or more in config/database.yml, or run fewer threads"
        end
        private_class_method :sentence
      end
    end
  end
end
