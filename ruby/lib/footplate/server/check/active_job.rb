# frozen_string_literal: true

require "footplate/server/boot/adapter_trouble"

module Footplate
  module Server
    class Check
      ##
      # Where Active Job's jobs go, and when. Loads ActiveJob::Base, which an application that loads its code late
      # has not done yet, so that a wrong name is found here and not at the first job.
      class ActiveJob
        # Queue adapters whose jobs come to us: these and their subclasses.
        OURS = %w[ActiveJob::QueueAdapters::FootplateAdapter ActiveJob::QueueAdapters::SidekiqAdapter].freeze
        # What happens to the jobs of other queue adapters.
        ELSEWHERE = {
          "async" => "jobs run in threads of the process that enqueues them and are lost when it ends",
          "inline" => "jobs run at once, in the process that enqueues them",
          "test" => "jobs are kept in memory for tests, and none runs"
        }.freeze
        NAMED = 3

        # @return [Check::ActiveJob, nil] nil where the application has no Active Job
        def self.find(environment)
          new(environment) if defined?(::ActiveJob::Base)
        end

        def initialize(environment)
          @environment = environment
          @base = ::ActiveJob::Base
          @name = @base.queue_adapter_name
        rescue StandardError, LoadError => e
          why = "#{e.class}: #{e.message.lines.first&.chomp}"
          @trouble = AdapterTrouble.sentence(e) || "Active Job cannot be loaded: #{why}"
        end

        # @return [String]
        def adapter
          @trouble ? "does not work" : "enqueues with :#{@name}"
        end

        # @return [Array<String>]
        def warnings
          return [@trouble] if @trouble

          [*(elsewhere("Active Job enqueues", @name) unless ours?(@base)), *other_classes, *transactions]
        end

        private

        def ours?(klass)
          !(klass.queue_adapter.class.ancestors.map(&:name) & OURS).empty?
        end

        def elsewhere(who, name)
          fate = ELSEWHERE.fetch(name, "what becomes of jobs is that adapter's affair")
          "#{who} with :#{name} in #{@environment}; none comes here: #{fate}. To have them run here, set " \
            "#{AdapterTrouble::SETTING} = :footplate"
        end

        # Classes that have chosen a queue adapter of their own, as far as they are loaded.
        def other_classes
          classes = ObjectSpace.each_object(@base.singleton_class).reject do |klass|
            klass.queue_adapter_name == @name || ours?(klass)
          end
          classes.group_by(&:queue_adapter_name).map do |name, alike|
            names = alike.filter_map(&:name).sort
            more = " and #{names.size - NAMED} more" if names.size > NAMED
            elsewhere("Jobs of #{names.first(NAMED).join(", ")}#{more} are enqueued", name)
          end
        end

        # Active Record gives ActiveJob::Base its setting when it is loaded.
        def transactions
          return [] unless defined?(::ActiveRecord::Base) && ::ActiveRecord::Base && ours?(@base) && !after_commit?

          ["Rails #{::ActiveJob.version} enqueues at once, within a transaction too: a job may run before the commit " \
           "and not find what was written; #{cure}"]
        end

        def cure
          unless @base.respond_to?(:enqueue_after_transaction_commit)
            return "enqueue in an after_commit callback, or update to Rails 7.2, which can wait by itself"
          end

          "set config.active_job.enqueue_after_transaction_commit = #{asks_adapter? ? ":default" : "true"}"
        end

        def after_commit?
          return false unless @base.respond_to?(:enqueue_after_transaction_commit)

          case @base.enqueue_after_transaction_commit
          when true, :always then true
          when :default then asks_adapter? && @base.queue_adapter.enqueue_after_transaction_commit?
          else false
          end
        end

        # Rails 7.2 asks the queue adapter for :default; Rails 8.0 takes that for false, and wants true or false.
        def asks_adapter?
          ::ActiveJob.version < Gem::Version.new("8.0")
        end
      end
    end
  end
end
