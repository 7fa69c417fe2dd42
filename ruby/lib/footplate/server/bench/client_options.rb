# frozen_string_literal: true

require "footplate/server/boot/boot_error"

module Footplate
  module Server
    class Bench
      ##
      # From the engine's RedisSettings, which hold what the application configured in one form for every version
      # of Sidekiq, back to the options that the gems take. They are handed to worker processes as JSON.
      module ClientOptions
        module_function

        # @param settings [Hash{Symbol => Object}] as Footplate::Server::RedisSettings makes them
        # @return [Hash{Symbol => Object}]
        # @raise [BootError] for what cannot be handed on
        def of(settings)
          options = settings.slice(:url, :host, :port, :path, :db, :username, :password, :connect_timeout)
          options[:read_timeout] = settings[:response_timeout]
          options.merge(tls(settings[:tls]), sentinels(settings)).compact
        end

        def tls(settings)
          return {} unless settings
          if settings[:cert_file]
            raise BootError, "The Redis connection uses a client certificate, which bench cannot hand on to its workers"
          end

          params = { ca_file: settings[:ca_file], verify_mode: settings[:verify] == false ? 0 : nil }.compact
          { ssl: true, ssl_params: params.empty? ? nil : params }
        end

        # The redis gem 4 takes the master's name for a host.
        def sentinels(settings)
          return {} unless settings[:sentinels]

          sentinels = settings[:sentinels].map { |sentinel| sentinel.except(:tls) }
          { sentinels:, role: "master" }.merge(master(settings[:name]))
        end

        def master(name)
          require "redis_client"
          { name: name }
        rescue LoadError
          { host: name }
        end
      end
    end
  end
end
