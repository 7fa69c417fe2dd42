# frozen_string_literal: true

require "footplate/server/text/secrets"

module Footplate
  module Server
    module Facade
      ##
      # The gem logs the options of each pool that it makes. It hides the password of a URL that has one where a
      # password belongs; in this process it is shown only URLs in which there is none.
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
