# frozen_string_literal: true

module Footplate
  module Server
    ##
    # Asks Ruby about objects of the application, whose own methods may answer anything, raise, or be missing
    # (BasicObject).
    module Foreign
      CLASS = Kernel.instance_method(:class)
      IS_A = Kernel.instance_method(:is_a?)
      NAME = Module.instance_method(:name)
      DEFINED = Module.instance_method(:method_defined?)
      private_constant :CLASS, :IS_A, :NAME, :DEFINED

      class << self
        # @return [Class]
        def class_of(object)
          CLASS.bind_call(object)
        end

        # @param type [Module]
        def a?(type, object)
          IS_A.bind_call(object, type)
        end

        # @return [String, nil] nil for an anonymous class
        def name_of(klass)
          NAME.bind_call(klass)
        end

        # @return [Boolean] whether instances of the class have this method
        def method?(klass, name)
          DEFINED.bind_call(klass, name)
        end
      end
    end
  end
end
