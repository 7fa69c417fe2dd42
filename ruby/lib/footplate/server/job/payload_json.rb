# frozen_string_literal: true

require "json"

module Footplate
  module Server
    ##
    # Reads and writes payloads the way the application does: through the gem, whose methods it may have
    # replaced, or through JSON.
    module PayloadJson
      def self.load(string)
        defined?(::Sidekiq) && ::Sidekiq.respond_to?(:load_json) ? ::Sidekiq.load_json(string) : JSON.parse(string)
      end

      def self.dump(payload)
        defined?(::Sidekiq) && ::Sidekiq.respond_to?(:dump_json) ? ::Sidekiq.dump_json(payload) : JSON.generate(payload)
      end
    end
  end
end
