# frozen_string_literal: true

module Footplate
  module Bench
    # The middle of several runs, and how far they were apart.
    Spread = Struct.new(:median, :low, :high, :runs, keyword_init: true) do
      def self.of(values)
        return if values.empty?

        sorted = values.sort
        middle = sorted.size / 2
        median = sorted.size.odd? ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2.0
        new(median: median, low: sorted.first, high: sorted.last, runs: sorted.size)
      end

      # Of the ratios within each pair: the machine's speed changes in minutes, and the two of a pair ran within seconds
      # of one another.
      # @param ours [Hash{Integer => Numeric}] by pair; `theirs` likewise
      def self.of_ratios(ours, theirs)
        of(ours.filter_map { |pair, value| value.fdiv(theirs[pair]) if theirs[pair]&.positive? })
      end

      # Half of the range, as a share of the median.
      def share
        median.zero? ? 0.0 : (high - low) / 2.0 / median
      end
    end

    # @param sorted [Array<Float>] at least one
    # @param share [Float] 0.99 for the 99th
    def self.percentile(sorted, share)
      sorted[(share * (sorted.size - 1)).round]
    end

    # @param waits [Array<Float>] seconds
    # @return [Hash{Symbol => Float}] milliseconds; nothing of nothing
    def self.percentiles(waits)
      return {} if waits.empty?

      sorted = waits.sort
      # Of fewer than a thousand, the highest is not yet one in a thousand.
      shares = { p50: 0.5, p99: 0.99, p999: (0.999 unless sorted.size < 1_000), max: 1 }.compact
      shares.transform_values { |share| percentile(sorted, share) * 1_000 }
    end
  end
end
