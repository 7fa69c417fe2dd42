# frozen_string_literal: true

module Footplate
  module Server
    ##
    # What a worker thread carries from one job to the next where anybody can see it: variables of the thread and of its
    # fiber (tenants, shards, locales and time zones are kept there), its name, its priority. Made in the thread, before
    # its first job.
    class ThreadState
      STORAGE = Fiber.method_defined?(:storage)
      private_constant :STORAGE

      def initialize
        @first = read
      end

      # Whether a job has left something. Asked after each failure of a series.
      def changed?
        now = read
        now.size != @first.size || !now.each_index.all? { |index| @first[index].equal?(now[index]) }
      end

      private

      # Compared by identity: what jobs leave may have any idea of equality.
      def read
        thread = Thread.current
        locals = thread.keys
        found = [thread.name, thread.priority, thread.report_on_exception, thread.abort_on_exception]
        locals.each { |key| found << key << thread[key] }
        thread.thread_variables.each { |key| found << key << thread.thread_variable_get(key) }
        add_instance_variables(found, thread)
        add_instance_variables(found, Fiber.current)
        Fiber.current.storage&.each { |key, value| found << key << value } if STORAGE
        found
      end

      def add_instance_variables(found, object)
        object.instance_variables.each { |name| found << name << object.instance_variable_get(name) }
      end
    end
  end
end
