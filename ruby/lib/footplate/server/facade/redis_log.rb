# frozen_string_literal: true

require "footplate/server/text/secrets"

module Footplate
  module Server
    module Facade
      ##
      # The gem logs the options of each pool that it makes, and hides the password of a URL only where it recognizes
      # one. In this process it is shown no URL with a password.
      module RedisLog
        class << self
          # Once the gem is loaded.
          def install
            ::Sidekiq::RedisConnection.singleton_class.prepend(self)
          end

          def without_secrets(options)
            options.key?(:url) ? options.merge(url: Secrets.hide(options[:url])) : options
          end
        end

        private

        # 6
        def log_info(options)
          super(RedisLog.without_secrets(options))
        end

        # 7 and newer
        def scrub(options)
          super(RedisLog.without_secrets(options))
        end
      end
    end
  end
end
