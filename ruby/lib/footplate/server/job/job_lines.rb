# frozen_string_literal: true

require "footplate/server/text/log_text"

module Footplate
  module Server
    ##
    # What surrounds a job in the log: the context that its own lines carry, its log level, and the lines `start`,
    # `done` and `fail`. All of it is done by the job logger, the application's or the gem's, which is made and called
    # as in the loaded version of Sidekiq. Where that is the default one and writes to the process's log, the engine
    # writes the same lines faster.
    class JobLines
      # @param facade [Facade::Base]
      # @param capsule [Facade::Capsule]
      # @raise what the application's job logger raises when it is made
      def initialize(facade, capsule)
        @facade = facade
        # Kept, as the job logger keeps it: a logger that is set later counts only for job loggers that are made later.
        @log = facade.logger
        @logger = facade.build_job_logger(capsule)
        @default = facade.job_logger.nil? && default_attributes?
        native = facade.native_log
        @engine_writes = @default && !native.nil?
        # JSON escapes control characters anyway.
        @escapes = native&.fetch(:format) != "json"
      end

      # Whether jobs may run without calling anything here but `quiet?` and `say`.
      def native?
        @default
      end

      # Whether the lines are left out for good.
      def silent?
        @facade.skip_default_job_logging?
      end

      # Whether the default job logger would write nothing now. A logger need not have levels; in Sidekiq 6 `info?` may
      # raise, because it compares the level with numbers, and some libraries set a symbol.
      def quiet?
        silent? || (@log.respond_to?(:info?) && !@log.info?)
      rescue StandardError
        false
      end

      # Sets the context and the level around the block.
      def prepare(job, payload)
        if engine_writes?(job)
          job.enter_context
          yield
        else
          @logger.prepare(payload) do
            LogText.clean_context if @escapes
            yield
          end
        end
      ensure
        Thread.current[:sidekiq_context] = nil
      end

      # Writes the lines around the block.
      def call(job, payload, queue, &block)
        engine_writes?(job) ? by_engine(job, &block) : by_logger(job, payload, queue, &block)
      end

      # Writes a last line that the engine leaves to Ruby, because its context or the logger was changed.
      def say(text, elapsed)
        (Thread.current[:sidekiq_context] ||= {})[:elapsed] = elapsed.round(3)
        @log.info(text)
      rescue StandardError => e
        @facade.handle_exception(e, { context: "The logger failed" })
      end

      private

      # The engine's own lines carry the attributes that Sidekiq logs by default, and no others (8.0.9).
      def default_attributes?
        attributes = @facade[:logged_job_attributes]
        attributes.nil? || attributes == %w[bid tags]
      end

      def engine_writes?(job)
        @engine_writes && job.log?
      end

      def by_engine(job)
        job.log_start
        yield
        conclude(job, "done")
      rescue Exception # rubocop:disable Lint/RescueException
        conclude(job, "fail")
        raise
      end

      # The end of a child that the job forked is not the end of the job.
      def conclude(job, word)
        return if job.forked?

        job.log_end(word == "done") || say(word, job.elapsed)
      end

      # The job logger knows nothing of forked children, so what ends them bypasses it.
      def by_logger(job, payload, queue)
        error = catch(job) do
          @logger.call(payload, queue) do
            yield
            throw job if job.forked?
          rescue Exception => e # rubocop:disable Lint/RescueException
            job.forked? ? throw(job, e) : raise
          end
          nil
        end
        raise error if error
      end
    end
  end
end
