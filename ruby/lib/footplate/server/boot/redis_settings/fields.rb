# frozen_string_literal: true

require "footplate/server/boot/boot_error"
require "footplate/server/boot/numbers"
require "footplate/server/text"
require "footplate/server/text/secrets"

module Footplate
  module Server
    module RedisSettings
      ##
      # What a client gem answered, as the engine takes it: strings in UTF-8, numbers within their bounds, and nothing
      # that is nil or useless.
      module Fields
        # The engine's limit, in seconds. To a connection a day is for ever.
        LONGEST = 86_399.0
        TEXTS = %i[host path username password name client_name].freeze

        module_function

        # @return [Hash{Symbol => Object}]
        # @raise [BootError]
        def of(settings)
          settings = settings.compact
          TEXTS.each { |key| settings[key] &&= utf8(key, settings[key]) }
          [settings[:password], *settings[:sentinels]&.map { |it| it[:password] }].each { |it| Secrets.remember(it) }
          # Useless without a password, and perhaps a password itself: redis://secret@host.
          settings.delete(:username) unless settings[:password]
          settings.delete(:password_alone) unless settings[:username]
          settings[:port] &&= Numbers.whole("The port of the Redis connection", settings[:port], most: 65_535)
          # A socket on this machine knows no TLS, whatever the options say.
          settings.delete(:tls) if settings[:path]
          settings[:db] = Numbers.whole("db of the Redis connection", settings[:db] || 0, least: 0)
          %i[connect_timeout response_timeout].each { |key| settings[key] = seconds(settings[key]) }
          settings.compact
        end

        def utf8(key, value)
          text = Text.utf8(value.to_s)
          return text if text.valid_encoding?

          raise BootError, "The #{key} of the Redis connection is not UTF-8, which the engine needs"
        end
        private_class_method :utf8

        # 0 and nil mean "wait for ever" to the gems and are left to the engine.
        def seconds(value)
          [value.to_f, LONGEST].min if value&.to_f&.positive?
        end
        private_class_method :seconds
      end
    end
  end
end
