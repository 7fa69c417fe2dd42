# frozen_string_literal: true

module Footplate
  module Server
    ##
    # Finds job classes by name. The names under which Active Job's wrapper may stand in a payload are Active
    # Job to us, whether or not a gem defines them.
    module JobClass
      def self.resolve(name)
        Object.const_get(name)
      rescue NameError, LoadError
        # A LoadError: looking for Rails's wrapper loads its adapter, and that one the gem.
        raise unless ActiveJobWrapper::NAMES.include?(name) && defined?(::ActiveJob::Base)

        ActiveJobWrapper
      end
    end
  end
end
