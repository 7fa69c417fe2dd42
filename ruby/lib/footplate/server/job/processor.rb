# frozen_string_literal: true

require "forwardable"
require "footplate/server/job/decoder"
require "footplate/server/job/ending"
require "footplate/server/job/interruption"
require "footplate/server/job/job_classes"
require "footplate/server/job/job_lines"
require "footplate/server/job/job_retry"
require "footplate/server/job/middleware_run"
require "footplate/server/job/payload_json"
require "footplate/server/job/surroundings"

module Footplate
  module Server
    ##
    # Runs the jobs of one worker thread, called by the engine's worker loop with the GVL held:
    #
    # 1. `call` runs a whole job with everything that the application put around it, nested as
    #    Sidekiq::Processor nests it: context, retry (global), log lines, reloader, retry (local), middleware.
    # 2. `failed` takes over when a job that ran natively raised.
    # 3. `resolve` finds a class for the native path.
    #
    # Every path ends in exactly one outcome on the engine's job (Footplate::Native::Job).
    class Processor
      extend Forwardable

      # One for each worker thread, in the order of the capsules: as in Sidekiq, each has a job logger of its own, which
      # may remember what runs.
      # @raise what the application's code raises, such as that of its job logger
      def self.for_all(facade, controls:, launcher:)
        facade.capsules.flat_map do |capsule|
          Array.new(capsule.concurrency) do
            new(facade: facade, capsule: capsule, controls: controls, json: PayloadJson, launcher: launcher)
          end
        end
      end

      # @param facade [Facade::Base]
      # @param capsule [Facade::Capsule]
      # @param launcher [#stopping?]
      def initialize(facade:, capsule:, controls:, json:, launcher:)
        @facade = facade
        @controls = controls
        @json = json
        @launcher = launcher
        @chain = facade.server_middleware(capsule.name)
        @run = MiddlewareRun.for(@chain)
        @surroundings = Surroundings.new(facade)
        @decoder = Decoder.new(facade, json)
        @classes = JobClasses.new(cache: facade.cache_classes?)
        @lines = JobLines.new(facade, capsule)
        @measured = facade.metrics?(capsule.name)
        @retry = JobRetry.new(Failure.new(facade, json), controls)
        @interruption = Interruption.for(facade, capsule, json, controls, launcher)
        @ending = Ending.new(facade, controls, @retry, @interruption)
      end

      # Whether the engine may run plain jobs without calling anything here but `around`.
      def native?
        !@surroundings.reloader? && @lines.native? && !@facade.custom_json? && @classes.cached?
      end

      # Whether the engine must call `around`.
      def middleware?
        !@chain.empty?
      end

      # Whether executions count in the metrics of their job class.
      def measured?
        @measured
      end

      # Runs a job of the native path inside its middleware.
      def around(instance, payload, queue)
        return @run.call(instance, payload, queue) if @run

        @chain.invoke(instance, payload, queue) { instance.perform(*payload["args"]) }
      end

      def_delegators :@lines, :silent?, :quiet?, :say

      # What a job's `interrupted?` asks.
      def_delegators :@launcher, :stopping?

      # Whether the exception kept a job from being handed in because the process ends.
      def_delegators :@controls, :shutdown?

      # @return [Class] raises NameError when there is none
      def resolve(name)
        @classes[name]
      end

      # Runs a job from its payload to its outcome.
      def call(job)
        payload = @decoder.call(job) or return
        nest(job, payload)
        job.done
      rescue Exception => e # rubocop:disable Lint/RescueException
        raise if job.forked?

        @ending.outermost(job, e, payload)
      end

      # Ends a job that has raised on the native path.
      # @param instance [Object, nil] nil when there was none yet
      # @param payload [Hash, nil] as the middleware left it
      def failed(job, exception, instance, payload)
        @retry.uninterrupted { @ending.native(job, exception, instance, payload || @decoder.again(job)) }
      end

      private

      def nest(job, payload)
        queue = job.queue
        @lines.prepare(job, payload) do
          @retry.global(job) do
            @lines.call(job, payload, queue) do
              @surroundings.call(payload) do
                instance = build(payload)
                job.reached(payload["wrapped"] || payload["class"]) if @measured
                @retry.local(job, instance) { invoke(job, instance, payload, queue) }
              end
            end
          end
        end
      end

      def build(payload)
        instance = @classes[payload["class"]].new
        instance.jid = payload["jid"]
        instance._context = self if Foreign.method?(Foreign.class_of(instance), :_context=)
        instance
      end

      def invoke(job, instance, payload, queue)
        around(instance, payload, queue)
      rescue Exception => e # rubocop:disable Lint/RescueException
        raise if job.forked? || !@interruption&.handle?(job, e, instance, payload)

        raise @controls.skip
      end
    end
  end
end
