# frozen_string_literal: true

module Footplate
  module Server
    ##
    # What a worker thread visibly carries from one job to the next: variables of the thread and of its fiber (where
    # tenants, shards, locales and time zones are kept), its name, its priority. Recorded in the thread, before its
    # first job.
    class ThreadState
      STORAGE = Fiber.method_defined?(:storage)
      private_constant :STORAGE

      def initialize
        thread = Thread.current
        @name = thread.name
        @priority = thread.priority
        @reports = thread.report_on_exception
        @aborts = thread.abort_on_exception
        @locals = thread.keys.to_h { |key| [key, thread[key]] }
        @variables = thread.thread_variables.to_h { |key| [key, thread.thread_variable_get(key)] }
        @storage = STORAGE ? Fiber.current.storage.to_h : {}
      end

      # Whether a job has left something. Asked after every failure, so it makes few objects. Values are compared by
      # identity, because those that jobs leave may define equality as they like.
      def changed?
        thread = Thread.current
        traits_differ?(thread) ||
          differ?(@locals, thread.keys) { |key| thread[key] } ||
          differ?(@variables, thread.thread_variables) { |key| thread.thread_variable_get(key) } ||
          !thread.instance_variables.empty? || !Fiber.current.instance_variables.empty? ||
          (STORAGE && stored?)
      end

      private

      def traits_differ?(thread)
        thread.name != @name || thread.priority != @priority ||
          thread.report_on_exception != @reports || thread.abort_on_exception != @aborts
      end

      def differ?(first, names)
        names.size != first.size || names.any? { |name| !first[name].equal?(yield(name)) }
      end

      def stored?
        now = Fiber.current.storage.to_h
        differ?(@storage, now.keys) { |key| now[key] }
      end
    end
  end
end
