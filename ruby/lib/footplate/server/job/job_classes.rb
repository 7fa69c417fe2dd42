# frozen_string_literal: true

module Footplate
  module Server
    ##
    # Finds job classes by name. The names under which Active Job's wrapper may stand in a payload are Active
    # Job to us, whether or not a gem defines them.
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

      # Whether whoever was told a class may remember it.
      def cached?
        !@known.nil?
      end

      private

      def find(name)
        Object.const_get(name)
      rescue NameError, LoadError
        # A LoadError: looking for Rails's wrapper loads its adapter, and that one the gem.
        raise unless ActiveJobWrapper::NAMES.include?(name) && defined?(::ActiveJob::Base)

        ActiveJobWrapper
      end
    end
  end
end
