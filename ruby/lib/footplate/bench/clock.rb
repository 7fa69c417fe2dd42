# frozen_string_literal: true

module Footplate
  module Bench
    ##
    # The clock that all processes of a machine share.
    module Clock
      module_function

      # @return [Float] seconds
      def now
        Process.clock_gettime(Process::CLOCK_MONOTONIC)
      end
    end
  end
end
