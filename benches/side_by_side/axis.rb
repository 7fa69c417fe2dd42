# frozen_string_literal: true

module SideBySide
  ##
  # Places on a stretch of a chart: by the number, or by how often it doubles.
  class Axis
    # @param from [Numeric] where on the chart the lowest number is
    # @param to [Numeric] and the highest
    def initialize(low, high, from, to, logarithmic:)
      @logarithmic = logarithmic
      @low = at(low)
      @high = at(high)
      @from = from
      @to = to
    end

    def place(number)
      return @from if @high == @low

      @from + ((at(number) - @low) * (@to - @from) / (@high - @low))
    end

    # A round number at or above.
    def self.round_up(number)
      power = 10.0**Math.log10(number).floor
      [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map { |factor| factor * power }.find { |round| round >= number }
    end

    # The powers of ten from at or below the one to at or above the other.
    def self.powers(low, high)
      (Math.log10(low).floor..Math.log10(high).ceil).map { |power| 10.0**power }
    end

    # 20 k, 1.5 M: short.
    def self.short(number)
      return "#{trim(number / 1e6)} M" if number >= 1e6
      return "#{trim(number / 1e3)} k" if number >= 1e4

      trim(number)
    end

    def self.trim(number)
      SideBySide.digits(format("%.2f", number).sub(/\.?0+\z/, ""))
    end
    private_class_method :trim

    private

    def at(number)
      @logarithmic ? Math.log10(number) : number.to_f
    end
  end
end
