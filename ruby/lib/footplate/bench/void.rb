# frozen_string_literal: true

module Footplate
  module Bench
    # A run that cannot be counted: it lost or doubled a job, or did not end.
    class Void < StandardError
      # @param counts [Hash{Symbol => Integer}] what the ledger wrote as its process ended
      # @return [String, nil] why the run does not count
      def self.reason(counts)
        "#{counts[:missing]} jobs lost, #{counts[:doubled]} run twice" unless counts.values.all?(0)
      end
    end
  end
end
