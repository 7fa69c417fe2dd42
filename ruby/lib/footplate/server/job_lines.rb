# frozen_string_literal: true

module Footplate
  module Server
    ##
    # What surrounds a job in the log: the context that its own lines carry, its log level, and the lines
    # `start`, `done` and `fail`. Three ways: the application's job logger, the engine's own lines, or the
    # application's logger with the default texts.
    class JobLines
      # What Sidekiq adds to the context of a job that has it, if nobody says otherwise (8.0.9).
      ATTRIBUTES = %w[bid tags].freeze

      # @param host [Host::Base]
      def initialize(host)
        @host = host
        @custom = build(host.job_logger) if host.job_logger
        @silent = host.skip_default_job_logging? || !info?
        @engine_writes = !host.native_log.nil?
        @attributes = host[:logged_job_attributes]&.map(&:to_s) || ATTRIBUTES
      end

      # Whether a job may run without any of this being called.
      def native?
        @custom.nil? && @attributes == ATTRIBUTES && (@silent || @engine_writes)
      end

      # Sets the context and the level around the block.
      def prepare(job, payload, &block)
        return @custom.prepare(payload, &block) if @custom.respond_to?(:prepare)

        enter_context(job, payload)
        level = payload["log_level"]
        level ? at_level(level, &block) : yield
      ensure
        Thread.current[:sidekiq_context] = nil
      end

      # Writes the lines around the block.
      def call(job, payload, queue, &block)
        return @custom.call(payload, queue, &block) if @custom

        if @engine_writes && job.plain?
          @silent ? yield : engine_lines(job, &block)
        else
          logger_lines(job, &block)
        end
      end

      private

      def engine_lines(job)
        job.log_start
        yield
        job.log_done
      rescue Exception # rubocop:disable Lint/RescueException
        job.log_fail
        raise
      end

      def logger_lines(job)
        say("start")
        yield
        conclude(job, "done")
      rescue Exception # rubocop:disable Lint/RescueException
        conclude(job, "fail")
        raise
      end

      # The end of a child that the job forked is not the job's.
      def conclude(job, word)
        return if job.forked?

        add_elapsed(job)
        say(word)
      end

      def say(text)
        @host.logger.info { text } unless @host.skip_default_job_logging?
      end

      def add_elapsed(job)
        Thread.current[:sidekiq_context]&.store(:elapsed, job.elapsed.round(3))
      end

      def enter_context(job, payload)
        return if @attributes == ATTRIBUTES && job.enter_context

        Thread.current[:sidekiq_context] = context(payload)
      end

      def context(payload)
        context = { jid: payload["jid"], class: payload["display_class"] || payload["wrapped"] || payload["class"] }
        @attributes.each { |name| context[name.to_sym] = payload[name] if payload.key?(name) }
        context
      end

      # 8.0 renamed it.
      def at_level(level, &block)
        logger = @host.logger
        name = %i[with_level log_at].find { |method| logger.respond_to?(method) }
        name ? logger.public_send(name, level, &block) : yield
      end

      def info?
        %w[debug info].include?(@host.log_level)
      end

      # Sidekiq 6 builds it without arguments, later versions with their configuration.
      def build(klass)
        klass.instance_method(:initialize).arity.zero? ? klass.new : klass.new(@host.gem_argument)
      end
    end
  end
end
