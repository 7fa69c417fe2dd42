# frozen_string_literal: true

module Footplate
  module Server
    ##
    # Finds job classes by name. The names that Active Job's wrapper may have in a payload lead to Active Job, whether
    # or not a gem defines them.
    class JobClasses
      # @param cache [Boolean] whether classes stay what they are while the process runs
      def initialize(cache:)
        @known = cache ? {} : nil
      end

      # @return [Class]
      # @raise [NameError] when there is none
      def [](name)
        return find(name) unless @known

        @known[name] ||= find(name)
      end

      # Whether the classes that were found may be remembered.
      def cached?
        !@known.nil?
      end

      private

      def find(name)
        Object.const_get(name)
      rescue NameError, LoadError
        # LoadError, because looking for Rails's wrapper loads Rails's queue adapter, and that loads the gem.
        raise unless ActiveJobWrapper::NAMES.include?(name) && defined?(::ActiveJob::Base)

        ActiveJobWrapper
      end
    end
  end
end
