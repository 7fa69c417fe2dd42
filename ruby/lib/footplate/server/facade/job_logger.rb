# frozen_string_literal: true

module Footplate
  module Server
    module Facade
      ##
      # The job logger of an application without the sidekiq gem, with the interface and the lines of Sidekiq 8's.
      class JobLogger
        # Which other fields of a job its lines carry, unless the application says otherwise.
        ATTRIBUTES = %w[bid tags].freeze

        # @param config [Footplate::Config]
        def initialize(config)
          @logger = config.logger
          @silent = config[:skip_default_job_logging]
          @attributes = config[:logged_job_attributes]&.map(&:to_s) || ATTRIBUTES
        end

        # Sets the context and the level around the block.
        def prepare(payload, &block)
          Thread.current[:sidekiq_context] = context(payload)
          level = payload["log_level"]
          level ? at_level(level, &block) : yield
        ensure
          Thread.current[:sidekiq_context] = nil
        end

        # Writes the lines around the block.
        def call(_payload, _queue)
          from = now
          say("start")
          yield
          conclude("done", from)
        rescue Exception # rubocop:disable Lint/RescueException
          conclude("fail", from)
          raise
        end

        private

        # Ruby 3.3's logger has one; it raises for what is no level, and that must not keep the job from running.
        def at_level(level, &block)
          return yield unless @logger.respond_to?(:with_level)
          return @logger.with_level(level, &block) if level.is_a?(Integer) || Base::LEVELS.include?(level)

          @logger.warn { "Invalid log level: #{level.inspect}" }
          yield
        end

        def context(payload)
          context = { jid: payload["jid"], class: payload["wrapped"] || payload["class"] }
          @attributes.each { |name| context[name.to_sym] = payload[name] if payload.key?(name) }
          context
        end

        def conclude(word, from)
          (Thread.current[:sidekiq_context] ||= {})[:elapsed] = (now - from).round(3)
          say(word)
        end

        def say(text)
          @logger.info { text } unless @silent
        end

        def now
          Process.clock_gettime(Process::CLOCK_MONOTONIC)
        end
      end
    end
  end
end
