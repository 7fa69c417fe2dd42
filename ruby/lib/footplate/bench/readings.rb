# frozen_string_literal: true

module Footplate
  module Bench
    ##
    # What INFO says, for whoever has a `call` to Redis.
    module Readings
      # @return [String, nil] one line of INFO; nil if it is not there
      def info(name)
        call("INFO")[/^#{name}:(.*?)\r?$/, 1]
      end

      # @return [Float] seconds of CPU that the server has used so far
      def cpu
        info("used_cpu_user").to_f + info("used_cpu_sys").to_f
      end
    end
  end
end
